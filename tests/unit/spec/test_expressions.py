"""`{{ … }}`: types are kept, names are checked, and nothing gets out of the sandbox."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine_speed import SLOWNESS

from sfml.spec.expression_errors import ExpressionError
from sfml.spec.expressions import evaluated_text

NAMES: dict[str, Any] = {
    "var": MappingProxyType(
        {"threshold": 0.4, "sizes": ["a", "b"], "on": True, "nothing": None, "values": 3}
    ),
    "target": MappingProxyType({"warehouse": "W", "name": "dev"}),
    "env": MappingProxyType({}),
    "pipeline": "clv",
    "user": "jane.doe",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ var.threshold }}", 0.4),
        ("  {{ var.threshold }}\n", 0.4),
        ("{{var.on}}", True),
        ("{{ var.nothing }}", None),
        ("{{ var.sizes }}", ["a", "b"]),
        ("{{ var.sizes[1] }}", "b"),
        ("{{ var.values }}", 3),
        ("{{ pipeline }}_{{ user }}", "clv_jane.doe"),
        ("{{ pipeline | upper }}", "CLV"),
        ("{{ user | replace('.', '_') }}", "jane_doe"),
        ("{{ user.split('@')[0] }}", "jane.doe"),
        ("{{ 'x' if target.name == 'prod' else 'y' }}", "y"),
        ("{{ var.threshold * 2 }}", 0.8),
        ("at {{ var.threshold }}: {{ var.on }}", "at 0.4: true"),
        ("{{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("{{ '}}' }}", "}}"),
        ("{{ '{{' }}", "{{"),
        ("{{ env.MISSING | default('d') }}", "d"),
        ("{{ 'yes' if env.MISSING is defined else 'no' }}", "no"),
        ("{{ '12' }}", "12"),
        ("{{ '12' | int }}", 12),
        ("{{ '1e3' | int }}", 1000),
        ("{{ '0x1f' | int(0, 16) }}", 31),
        ("{{ 'twelve' | int(3) }}", 3),
        ("{{ 2.9 | int }}", 2),
        ("{{ 'half' | float(0.5) }}", 0.5),
        ("{{ 'no' | bool }}", False),
    ],
)
def test_values_keep_their_types(text: str, value: Any) -> None:
    found = evaluated_text(text, NAMES)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("{{ var.treshold }}", "SF130", "threshold"),
        ("{{ var.treshold | upper }}", "SF130", "threshold"),
        ("{{ vra.x }}", "SF130", "var"),
        ("{{ env.HOME }}", "SF130", "sfml.yaml"),
        ("{{ param.x }}", "SF130", "include"),
        ("{{ var }}", "SF131", "parts"),
        ("{{ }}", "SF131", ""),
        ("{{ 1 +", "SF131", "close"),
        ("{{ 1 + }}", "SF131", ""),
        ("{{ 1 / 0 }}", "SF131", ""),
        ("{{ var.sizes }}!", "SF131", "whole value"),
        ("{% if true %}x{% endif %}", "SF131", "patch"),
        ("{{ 'x' ~ 1 }", "SF131", ""),
        ("{{ 'twelve' | int }}", "SF131", "another one for it: `| int(0)`"),
        ("{{ var.nothing | int }}", "SF131", "`| int(0)`"),
        ("{{ 'inf' | int }}", "SF131", "`| int(0)`"),
        ("{{ 'half' | float }}", "SF131", "`| float(0)`"),
        ("{{ 'maybe' | bool }}", "SF131", "`true` or `false`"),
    ],
)
def test_mistakes_are_told(text: str, code: str, part: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluated_text(text, NAMES)
    assert caught.value.code == code
    assert part in (caught.value.help or "")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''['__class__'] }}",
        "{{ (''|attr('__class__')) }}",
        "{{ cycler.__init__.__globals__.os.system('id') }}",
        "{{ self._TemplateReference__context }}",
        "{{ lipsum() }}",
        "{{ range(10 ** 9) | list }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ 'x' * 10000000000 }}",
        "{{ [1] * 10000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 'x'.center(1000000000) }}",
        "{{ ('a' | replace('', 'a' * 1)).replace('a', user) }}" * 3,
        "{{ [1, 2] | map('string') | list }}",
        "{{ {}.update({'a': 1}) }}",
        "{{ var.sizes.append('c') }}",
        "{{ user.encode('utf-8') }}",
        "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
        "{{ " + "-" * 1900 + "1 }}",
        "{{ " + "'a' ~ " * 5000 + "'a' }}",
        "{{ "
        + "~".join(["user"] * 300)
        + " | replace('a', '"
        + "b" * 500
        + "') | replace('b', '"
        + "c" * 500
        + "') }}",
    ],
)
def test_nothing_gets_out_or_grows(text: str) -> None:
    began = time.process_time()
    try:
        value = evaluated_text(text, NAMES)
    except ExpressionError:
        pass
    else:
        assert len(str(value)) < 100_000
    assert time.process_time() - began < 2 * SLOWNESS


@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "var",
                ".",
                "threshold",
                "user",
                "(",
                ")",
                "[",
                "]",
                "'",
                "|",
                "replace",
                "upper",
                "~",
                "+",
                "*",
                "**",
                "%",
                "/",
                "//",
                "1",
                "99",
                "'x'",
                ",",
                "if",
                "else",
                "for",
                "in",
                "range",
                "__class__",
                "{%",
                "%}",
                "not",
                "is",
                "defined",
                ":",
                "=",
                "==",
                "<",
                "join",
                "list",
                "default",
                "sizes",
            ]
        ),
        max_size=14,
    )
)
def test_any_soup_is_a_value_or_a_finding(words: list[str]) -> None:
    try:
        value = evaluated_text("{{ " + " ".join(words) + " }}", NAMES)
    except ExpressionError:
        return
    assert len(str(value)) < 100_000
