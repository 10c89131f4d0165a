"""Rules that every file of the console keeps."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import registry
from tests.console.conftest import PAGES, ROOT

FILES = sorted(
    [*(ROOT / "console").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "streamlit_app.py"]
)

MARKDOWN = {
    f"st.{name}"
    for name in (
        "markdown",
        "caption",
        "subheader",
        "badge",
        "info",
        "success",
        "warning",
        "error",
        "toast",
    )
}
HOSTILE = {
    "text", "raw_text", "raw_prompt", "title", "sentence", "reason", "message", "actor", "note",
    "said", "error", "name", "value_text", "claim", "state_reason",
}  # fmt: skip


def ident(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=ident)
def test_no_file_lets_html_through(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "unsafe_allow" not in text
    assert not re.search(r"\bst\.(html|iframe|components)\b", text)


@pytest.mark.parametrize("path", FILES, ids=ident)
def test_no_file_is_longer_than_its_cap_or_speaks_sql(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= (60 if path.parent.name == "pages" else 400)
    assert not re.search(r"\.execute\(|SELECT .* FROM", text)


@pytest.mark.parametrize("name", PAGES)
def test_each_page_does_nothing_outside_the_gate(name: str) -> None:
    """After imports and constants comes one ``with shell.open_page(...)``, and nothing else."""
    tree = ast.parse((ROOT / "pages" / name).read_text(encoding="utf-8"))
    body = [
        node
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Assign)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert len(body) == 1 and isinstance(body[0], ast.With)
    assert ast.unparse(body[0].items[0].context_expr).startswith("shell.open_page(")


def test_the_menu_names_every_page_file() -> None:
    named = {f"{name}.py" for pages in registry.PAGES.values() for name, _, _ in pages}
    assert named == set(PAGES)


@pytest.mark.parametrize("path", FILES, ids=ident)
def test_markdown_gets_no_stored_text_that_was_not_made_plain(path: Path) -> None:
    """Attributes that hold text from a model, a feed or a person never stand bare in markdown."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in MARKDOWN:
            assert [
                ast.unparse(part)
                for argument in [*node.args, *(keyword.value for keyword in node.keywords)]
                for part in _bare(argument)
                if part.attr in HOSTILE and ast.unparse(part) != "word.text"
            ] == []


def _bare(node: ast.AST) -> Iterator[ast.Attribute]:
    """Attributes in ``node`` that no ``words.plain`` stands around."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("words.plain", "words.count"):
        return
    if isinstance(node, ast.Attribute):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _bare(child)


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    lights = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


@pytest.mark.parametrize("mode", ["dark", "light"])
def test_every_text_colour_reads_on_its_ground(mode: str) -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"][mode]
    grounds = [theme["backgroundColor"], theme["secondaryBackgroundColor"]]
    pairs = [(theme["textColor"], ground) for ground in grounds]
    pairs += [(theme["linkColor"], ground) for ground in grounds]
    pairs += [(theme["primaryColor"], ground) for ground in grounds]
    for name in ("green", "yellow", "orange", "red", "blue", "violet", "gray"):
        pairs += [
            (theme[f"{name}TextColor"], ground)
            for ground in [*grounds, theme[f"{name}BackgroundColor"]]
        ]
    assert {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < 4.5} == {}


@pytest.mark.parametrize("mode", ["dark", "light"])
def test_charts_have_exactly_the_ten_colours_that_plotly_is_given(mode: str) -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"][mode]
    colours = theme["chartCategoricalColors"]
    assert len(set(colours)) == 10
    assert all(contrast(colour, theme["backgroundColor"]) >= 3 for colour in colours)


@pytest.mark.parametrize("path", FILES, ids=ident)
def test_no_button_is_filled_with_the_accent(path: Path) -> None:
    """Streamlit writes white on it: 2.3 to 1 on Bitcoin's orange. See ``parts.main_action``."""
    text = path.read_text(encoding="utf-8")
    assert 'type="primary"' not in text and "st.multiselect(" not in text
