"""Strangers' text in Markdown, read by a real Markdown parser: it stays text, in its cell, its span, its block."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sfml.render.markdown import cell, cell_prose, code, fenced, html_code, prose
from sfml.render.mermaid import label_text

PIECES = (
    *(
        "`",
        "``",
        "|",
        "\\",
        "\\|",
        "\n",
        "\n\n",
        "\r",
        "\t",
        " ",
        "*",
        "_",
        "~~",
        "<",
        ">",
        "&",
        "#",
        "!",
        "[",
        "]",
        "(",
    ),
    *(
        ")",
        "{",
        "}",
        "-->",
        "<!--",
        "]]>",
        "</td>",
        "</details>",
        "<script>",
        "<img src=x onerror=alert(1)>",
        "&lt;",
        "&#60;",
    ),
    *(
        "![a](http://x.y)",
        "[a](javascript:x)",
        "http://x.y",
        "https://x.y",
        "www.x.y",
        "a@b.cd",
        "@everyone",
        "#1",
        "GH-1",
    ),
    *(
        "```",
        "~~~",
        "```mermaid",
        "---",
        "===",
        "# h",
        "- i",
        "1. i",
        "> q",
        "    code",
        "$x$",
        "$$",
        ":smile:",
        "%%",
        ";",
    ),
    *(
        "\u202e",
        "\u2066",
        "\u200b",
        "\u2028",
        "\u0085",
        "\x00",
        "\x1b[31m",
        "\ufeff",
        "é",
        "日本",
        "ﷺ",
        "a",
        "0",
        '"',
        "'",
    ),
)
TEXT = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)
PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
LINKABLE = re.compile(r"@\w|#\d|://|www\.|\bGH-\d", re.IGNORECASE)
"""What hosts turn into links and mentions wherever it stands in plain text."""
HOSTILE = (
    "`|</td>@all",
    "a`",
    "`",
    "\\|",
    "\\",
    "|",
    "``` `` `",
    "@x http://x.y www.x.y",
    "\u202eabc",
    "-->",
    " ` ",
)


def tokens(markdown: str) -> list[Token]:
    found: list[Token] = []
    for token in PARSER.parse(markdown):
        found += [token, *(token.children or ())]
    return found


def html_in(found: Iterable[Token]) -> set[str]:
    return {token.content for token in found if token.type in ("html_inline", "html_block")}


def examples(function: Callable[..., None]) -> Callable[..., None]:
    for text in HOSTILE:
        function = example(text)(function)
    return function


def is_quiet(found: list[Token]) -> bool:
    """Whether nothing in it is a link, an image, a heading, or emphasis."""
    loud = (
        "link",
        "image",
        "heading",
        "em_",
        "strong",
        "s_",
        "list",
        "blockquote",
        "fence",
        "code_block",
        "hr",
    )
    return not any(token.type.startswith(loud) for token in found) and not LINKABLE.search(plain_text(found))


def plain_text(found: list[Token]) -> str:
    """Text that stands in no code."""
    parts: list[str] = []
    in_code = False
    for token in found:
        if token.type == "html_inline":
            in_code = token.content == "<code>"
        elif token.type == "text" and not in_code:
            parts.append(token.content)
    return "\n".join(parts)


@given(TEXT)
@examples
def test_a_code_span_is_one_code_span(text: str) -> None:
    made = code(text)
    found = tokens(f"before {made} after")
    assert is_quiet(found) and not html_in(found)
    assert [token.type for token in found].count("code_inline") == bool(made)
    shown = next((token.content for token in found if token.type == "code_inline"), "")
    assert shown.isprintable()
    outside = "".join(token.content for token in found if token.type == "text")
    assert outside.replace(" ", "") == "beforeafter"


@given(TEXT, TEXT)
def test_a_row_has_as_many_cells_as_it_was_given(one: str, two: str) -> None:
    found = tokens(f"| a | b | c |\n|---|---|---|\n| {cell(one)} | {cell_prose(two)} | end |\n\nafter\n")
    kinds = [token.type for token in found]
    assert kinds.count("td_open") == 3 and kinds.count("tr_open") == 2
    assert is_quiet(found)
    assert html_in(found) <= {"<code>", "</code>"}
    assert [token.content for token in found if token.type == "inline"][-2:] == ["end", "after"]


@given(TEXT)
@examples
def test_a_sentence_stays_a_sentence(text: str) -> None:
    found = tokens(f"- {prose(f'it reads `{text}` and {text}')}\n\nafter\n")
    quiet = [token for token in found if not token.type.startswith(("list_item", "bullet_list"))]
    assert is_quiet(quiet) and not html_in(found)
    assert [token.content for token in found if token.type == "inline"][-1] == "after"


@given(TEXT)
@examples
def test_a_summary_holds_text_alone(text: str) -> None:
    made = html_code(text)
    assert set(re.findall(r"<[^>]*>?", made)) <= {"<code>", "</code>"}
    assert not set(made.replace("<code>", "").replace("</code>", "")) & set("<>\"'`|*_[]()@\\")
    assert made.isprintable() or "&#8288;" in made
    found = tokens(f"<details><summary>{made}</summary>\n\nafter\n\n</details>")
    assert [token.content for token in found if token.type == "inline"] == ["after"]


@given(st.lists(TEXT, max_size=5))
def test_a_block_ends_where_it_ends(lines: list[str]) -> None:
    block = fenced([line for text in lines for line in text.splitlines()], "diff")
    found = PARSER.parse("\n".join([*block, "", "after"]))
    assert [token.type for token in found] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert found[0].info == "diff"
    assert all(line.isprintable() for line in found[0].content.splitlines())


@given(TEXT)
@examples
def test_a_label_of_mermaid_is_letters_and_numbers(text: str) -> None:
    made = label_text(text)
    assert re.fullmatch(r"(?:[\w _.,:/()+=-]|#\d+;|[^\W_])*", made, re.UNICODE), made
    assert "\n" not in made and '"' not in made and "`" not in made


@pytest.mark.parametrize("text", ["@everyone", "see #12", "http://x.y", "www.x.y", "a@b.cd", "GH-7"])
def test_what_hosts_make_links_of_stands_in_code(text: str) -> None:
    for made in (prose(text), cell_prose(text)):
        assert made.startswith("`"), made


def test_values_are_shown_as_they_are_where_they_can_be() -> None:
    assert code("a|b") == "`a|b`"
    assert code("`a`") == "`` `a` ``"
    assert cell("a || b") == "<code>a &#124;&#124; b</code>"
    assert prose("the gate `check` reads `threshold`") == "the gate `check` reads `threshold`"
    assert code("x\u202ey") == "`x\\u202ey`"


@pytest.mark.parametrize("beginning", ["1.", "20)", "-", "+", "*"])
def test_a_sentence_begins_no_list(beginning: str) -> None:
    """A backtick ends the span of a name before it has begun, so that what follows is the sentence."""
    found = tokens(f"- {prose(f'``{beginning} i` is a link')}\n\nafter\n")
    assert [token.type for token in found if token.type.endswith("list_open")] == ["bullet_list_open"]
