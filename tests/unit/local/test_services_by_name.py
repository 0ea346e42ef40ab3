"""What a service offers is an argument that has a type: whatever is misspelt is an error, of the type checker first."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from sfml_local.core.account import Account
from sfml_local.core.local_account import LocalAccount
from sfml_local.core.service import Service
from sfml_local.registry import SERVICES


def test_a_service_takes_no_other_arguments_than_those_that_have_a_type() -> None:
    parameters = list(inspect.signature(Service.__init__).parameters.values())[2:]
    assert {one.kind for one in parameters} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.__name__)
def test_a_service_says_all_in_its_constructor(service: type[Service]) -> None:
    """A method of another name would look like a hook and never be called."""
    assert set(vars(service)) - {"__module__", "__doc__", "__firstlineno__", "__static_attributes__"} == {
        "__init__"
    }


def test_two_services_that_answer_the_same_are_refused(tmp_path: Path) -> None:
    def answering(account: Account) -> Service:
        return Service(account, system_functions={"SYSTEM$TWICE": lambda account, session, arguments: 1})

    with pytest.raises(AssertionError, match=r"SYSTEM\$TWICE"):
        LocalAccount(tmp_path, (answering, answering))


def test_what_is_kept_is_the_accounts_own(tmp_path: Path) -> None:
    class Kept:
        def __init__(self, account: Account) -> None:
            self.folder = account.folder

    one, other = (LocalAccount(tmp_path / name, SERVICES) for name in ("one", "other"))
    try:
        assert one.part(Kept) is one.part(Kept)
        assert (one.part(Kept).folder, other.part(Kept).folder) == (one.folder, other.folder)
    finally:
        one.close()
        other.close()
