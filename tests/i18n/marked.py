"""Find text that translators would never see: in templates (Jinja2) and in Python modules that word pages and mails."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

#: Functions whose arguments Babel extracts.
MARKING = {
    "_",
    "gettext",
    "ngettext",
    "pgettext",
    "npgettext",
    "gettext_lazy",
    "ngettext_lazy",
    "pgettext_lazy",
    "mark",
}
_READ_ALOUD = {"alt", "title", "placeholder", "aria-label", "aria-description"}
_WORDS = re.compile(r"[^\W\d_]{2,}")
#: A sentence, or a word that begins one: what is neither a name in the code nor a CSS class.
_TEXT = re.compile(r"[^\W\d_]{2,}[,:;.!?…]?\s+\S*[^\W\d_]{2,}|^[A-Z][a-z]+[.!?:…]? ?$")
_FILLED = "\ufffc"


def unmarked_in_template(source: str, *, html: bool) -> list[str]:
    """Text of a template that stands outside `{% trans %}` and `_()`."""
    tree = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True).parse(source)  # noqa: S701
    found = [text for text in _constants(tree) if _TEXT.search(text)]
    page = "".join(_plain(tree))
    return found + (_texts(page) if html else [line.strip() for line in page.splitlines() if _WORDS.search(line)])


def _plain(node: nodes.Node) -> Iterator[str]:
    """What a template writes as it stands, with a sign where something is filled in."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.TemplateData):
            yield child.data
        elif isinstance(child, nodes.Expr):
            yield _FILLED
        else:
            yield from _plain(child)


def _constants(node: nodes.Node) -> Iterator[str]:
    """Text in expressions, but for what is given to a marking function, looked up or compared."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in MARKING:
        return
    if isinstance(
        node, nodes.Compare | nodes.Getitem | nodes.Extends | nodes.Import | nodes.Include | nodes.FromImport
    ):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes():
        yield from _constants(child)


def _texts(page: str) -> list[str]:
    reader = _Texts()
    reader.feed(page)
    reader.close()
    return reader.found


class _Texts(HTMLParser):
    """Text nodes with words, and attributes that are read aloud or shown."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipped += tag in ("style", "script")
        self.found += [value for name, value in attrs if name in _READ_ALOUD and value and _WORDS.search(value)]

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._skipped and '="' not in data and _WORDS.search(data):  # a macro may write attributes alone
            self.found.append(" ".join(data.split()))


def unmarked_in_module(source: str) -> list[str]:
    """Sentences of a Python module outside docstrings, annotations and the calls that mark them."""
    return [
        f"line {line}: {text}"
        for line, text in _strings(ast.parse(source))
        if _TEXT.search(text) and "charset" not in text
    ]


def _strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Call) and _called(node) in MARKING:
        return
    if isinstance(node, ast.Call) and _called(node) in (
        "compile",
        "getLogger",
        "get_logger",
        "cast",
        "TypeVar",
        "AssertionError",
        "ValueError",
    ):
        return
    if isinstance(node, ast.Assign | ast.AnnAssign) and _names_code(node):
        return
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if isinstance(child, ast.Constant) and isinstance(child.value, str):
                yield child.lineno, child.value
            elif isinstance(child, ast.AST):
                yield from _strings(child)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _names_code(node: ast.Assign | ast.AnnAssign) -> bool:
    """`__all__` and the like hold names and not text."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def template_paths(root: Path) -> list[Path]:
    """Every template that words something."""
    return sorted(root.glob("*/*.j2"))
