"""Whatever a command, a page of the desk or the API calls to change something takes an `actor`, and so is in the audit log.

The calls are read from the source: a new one that writes and takes no actor fails here, unless it is listed with a reason.
"""

import ast
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType, ModuleType

import newsletter

CALLERS = ("newsletter.cli.", "newsletter.web.desk.", "newsletter.web.api.")
#: Makes an installation with sample data.
SAMPLES = "newsletter.cli.demo."
ROOMS = ("feeds", "matching", "editions", "delivery", "subscribers", "providers", "admins")
_WRITES = {"create", "bulk_create", "get_or_create", "update_or_create", "bulk_update", "save", "delete"}
#: What writes and is not a change that somebody decides on.
EXEMPT = {
    "newsletter.feeds.catalogue.manage.mark_due": "only hurries what happens anyway",
    "newsletter.feeds.poll.poll_due": "reads feeds as the worker does",
    "newsletter.delivery.gates.sending_gate.create_gate": "is called at the first start",
    "newsletter.delivery.ledger.cancel.cancel_planned": "is a part of ending subscriptions, which takes one",
    "newsletter.admins.accounts.change_password": "is one's own",
    "newsletter.admins.accounts.set_time_zone": "is one's own",
    "newsletter.admins.sessions.end_all": "is a part of what takes one, or one's own",
    "newsletter.admins.sessions.end_one": "is one's own",
    "newsletter.admins.tokens.count_use": "counts requests",
    "newsletter.admins.keyed_answers.begin": "is about a request, which takes one",
    "newsletter.admins.keyed_answers.keep": "is about a request, which takes one",
    "newsletter.admins.keyed_answers.forget": "is about a request, which takes one",
    "newsletter.admins.sessions.use": "notes that somebody is there",
}


def test_what_changes_something_takes_an_actor() -> None:
    called = set(_called())
    assert len(called) > 50, "calls are found"
    writing = {function for function in called if _writes(function)}
    without = {_name(function) for function in writing if not _takes_actor(function)}
    assert without == set(EXEMPT)


def test_the_search_finds_what_is_written_somewhere_below() -> None:
    names = {_name(function) for function in set(_called()) if _writes(function)}
    assert {"newsletter.feeds.catalogue.manage.pause", "newsletter.matching.topics.hold.hold"} <= names
    assert "newsletter.matching.topics.preview.preview_draft" not in names


def _called() -> Iterator[FunctionType]:
    """The functions of rooms that commands, pages and the API call."""
    for info in pkgutil.walk_packages(newsletter.__path__, "newsletter."):
        if info.name.startswith(CALLERS) and not info.name.startswith(SAMPLES) and not info.ispkg:
            module = importlib.import_module(info.name)
            for found in _functions(ast.parse(inspect.getsource(module)), vars(module)):
                room = found.__module__.split(".")[1:2]
                if isinstance(found, FunctionType) and room and room[0] in ROOMS:
                    yield found


def _functions(tree: ast.AST, names: dict[str, object]) -> Iterator[FunctionType | type]:
    """The functions and classes of ours that are named in this source."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            found = _resolve(node, names)
            if isinstance(found, FunctionType | type) and found.__module__.startswith("newsletter."):
                yield found


def _resolve(node: ast.expr, names: dict[str, object]) -> object:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolve(node.value, names)
        return getattr(owner, node.attr, None) if isinstance(owner, ModuleType) else None
    return None


@functools.cache
def _writes(function: FunctionType | type) -> bool:
    """Whether a function, or one that it calls, writes to the database."""
    return any(map(_writes_itself, _below(function)))


def _below(start: FunctionType | type) -> set[FunctionType | type]:
    """The function and all of ours that it reaches, apart from the audit log itself and from models."""
    reached, waiting = set(), [start]
    while waiting:
        each = waiting.pop()
        if each in reached or each.__module__.startswith(("newsletter.audit", "newsletter.models")):
            continue
        reached.add(each)
        waiting += _named_in(each)
    return reached


@functools.cache
def _named_in(function: FunctionType | type) -> frozenset[FunctionType | type]:
    return frozenset(_functions(_tree(function), vars(importlib.import_module(function.__module__))))


@functools.cache
def _writes_itself(function: FunctionType | type) -> bool:
    return any(_is_write(node) for node in ast.walk(_tree(function)))


def _is_write(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.lstrip().startswith(("INSERT ", "UPDATE ", "DELETE "))
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    if isinstance(node.func.value, ast.Attribute) and node.func.value.attr in ("globals", "filters"):
        return False  # of a Jinja2 environment
    # dictionaries and hashes are updated with an argument, rows with keywords
    return node.func.attr in _WRITES or (node.func.attr == "update" and not node.args and bool(node.keywords))


def _tree(function: FunctionType | type) -> ast.AST:
    """The source of a function or class; of one inside another, the source of the whole."""
    return _definitions(function.__module__)[function.__qualname__.partition(".")[0]]


@functools.cache
def _definitions(module: str) -> dict[str, ast.AST]:
    """The functions and classes of a module by their name."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _takes_actor(function: FunctionType) -> bool:
    """Whether it is told who makes the change, or says so itself: whoever has a link acts for themselves."""
    itself = any(isinstance(node, ast.Name) and node.id == "record" for node in ast.walk(_tree(function)))
    return itself or "actor" in inspect.signature(function).parameters


def _name(function: FunctionType) -> str:
    return f"{function.__module__}.{function.__qualname__}"
