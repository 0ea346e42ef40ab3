"""Names of feature views as the general steps take them; what they do is tried by the example."""

from __future__ import annotations

import pytest

from sfml_steps import Context, StepError
from sfml_steps.features import find, make_training_set, refresh_feature_views, store_of


@pytest.mark.parametrize(
    ("view", "store"),
    [
        ("SPENT/v1", ("", "")),
        ("FEATURES.SPENT/v1", ("", "FEATURES")),
        ("shop.features.spent/v1", ("shop", "features")),
        ('SHOP."My store"."My view"/V 2', ("SHOP", '"My store"')),
    ],
)
def test_the_store_of_a_feature_view(view: str, store: tuple[str, str]) -> None:
    assert store_of(view) == store


def test_names_that_are_none() -> None:
    with pytest.raises(StepError, match="too many parts"):
        store_of("a.b.c.d/v1")
    with pytest.raises(StepError, match="no version"):
        find(Context.for_test(), "FEATURES.SPENT")
    with pytest.raises(StepError, match="has no name"):
        find(Context.for_test(), "./v1")
    with pytest.raises(StepError, match="names no feature view"):
        refresh_feature_views(Context.for_test(), views=[])
    with pytest.raises(StepError, match="names no feature view"):
        make_training_set(Context.for_test(), spine="LEAVERS", views=[], table="TRAINING")
