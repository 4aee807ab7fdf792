"""Names and sizes that keep the package easy to search: a class name means one thing, folders and files stay small."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

CODE = Path(__file__).parents[2] / "newsletter"
MOST_LINES = 300
MOST_MODULES = 20

_IN_AND_OUT = re.compile(r"\bin\b[^.]*[,;:] [^.]*\bout\b[.;:]")


@cache
def modules() -> dict[str, str]:
    """Path below newsletter/ → text, without Django's migrations."""
    paths = (path for path in sorted(CODE.rglob("*.py")) if path.parent != CODE / "migrations")
    return {path.relative_to(CODE).as_posix(): path.read_text() for path in paths}


def test_a_class_name_is_defined_once() -> None:
    """Classes within classes, such as the choices of a model, are named by their class and may repeat."""
    places = defaultdict(list)
    for path, text in modules().items():
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path)
    repeated = {name: where for name, where in places.items() if len(where) > 1}
    assert not repeated


def test_no_file_is_over_long() -> None:
    assert not {path for path, text in modules().items() if text.count("\n") > MOST_LINES}


def test_no_folder_is_too_wide() -> None:
    counts: dict[str, int] = defaultdict(int)
    for path in modules():
        folder, _, name = path.rpartition("/")
        counts[folder] += name != "__init__.py"
    assert not {folder for folder, count in counts.items() if count > MOST_MODULES}


def test_docstrings_of_modules_say_what_they_do() -> None:
    """Not "a query in, its matches out"."""
    heads = {path: ast.get_docstring(ast.parse(text)) or "" for path, text in modules().items()}
    assert not {
        path for path, head in heads.items() if _IN_AND_OUT.search(head.partition("\n\n")[0].replace("\n", " "))
    }
