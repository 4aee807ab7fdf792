"""A file of topics (YAML): bytes in, the topics that it describes out, or what is wrong with them and on which line; and back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from newsletter.lib.yaml_loader import UNREADABLE, BoundedLoader, YamlRefused, repeated

_TEXTS, _LISTS, _SWITCHES = ("name", "query"), ("packs", "without"), ("urgent", "held")
_FIELDS = (*_TEXTS, *_LISTS, *_SWITCHES)
_SHAPE = "it needs 'topics', a list of topics with 'name' and 'query': 'newsletter topics export' writes such a file"


@dataclass(frozen=True)
class TopicDescription:
    """A topic as a file describes it, on `line` there. `packs` None: all that there are."""

    name: str
    query: str
    packs: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    urgent: bool = False
    held: bool = False
    line: int = 0


@dataclass(frozen=True)
class TopicFileProblem:
    """Why the topic on line `line` is left as it is, in words."""

    line: int
    reason: str


@dataclass(frozen=True)
class TopicFile:
    """The topics of a file, in its order, and what had to be left out."""

    topics: tuple[TopicDescription, ...]
    problems: tuple[TopicFileProblem, ...]


@dataclass(frozen=True)
class NotATopicFile:
    """The file is something else; `reason` says what to do."""

    reason: str


def read_topic_file(data: bytes) -> TopicFile | NotATopicFile:
    """The topics that a file describes. One that cannot be read is a problem, and does not stop the others."""
    try:
        loader = BoundedLoader(data.decode("utf-8-sig"))
        entries = _entries(loader.get_single_node())
        if entries is None and loader.repeated_keys:
            raise repeated(loader.repeated_keys[0])
        if entries is None:
            return NotATopicFile(_SHAPE)
        found = [_described(loader, node) for node in entries]
        for key in loader.repeated_keys:
            if not any(_inside(key, node) for node in entries):
                raise repeated(key)
    except UnicodeDecodeError:
        return NotATopicFile("it is not UTF-8: save it as UTF-8")
    except YamlRefused as refused:
        return NotATopicFile(f"line {refused.line}: {refused.reason}")
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" near line {mark.line + 1}" if mark is not None else ""
        return NotATopicFile(f"it is not YAML{line}: 'newsletter topics export' shows how such a file looks")
    return TopicFile(
        tuple(one for one in found if isinstance(one, TopicDescription)),
        tuple(one for one in found if isinstance(one, TopicFileProblem)),
    )


def write_topic_file(topics: Iterable[TopicDescription]) -> str:
    """A file of these topics, which `read` turns into the same."""
    return yaml.safe_dump({"topics": [_written(one) for one in topics]}, allow_unicode=True, sort_keys=False, width=120)


def _written(one: TopicDescription) -> dict[str, Any]:
    written: dict[str, Any] = {"name": one.name, "query": one.query}
    if one.packs is not None:
        written["packs"] = list(one.packs)
    if one.without:
        written["without"] = list(one.without)
    return written | {name: True for name in _SWITCHES if getattr(one, name)}


def _entries(root: yaml.Node | None) -> list[yaml.Node] | None:
    """The nodes of the topics; None when the file has no list of them."""
    if not isinstance(root, yaml.MappingNode):
        return None
    lists = [value for key, value in root.value if key.value == "topics"]
    return lists[0].value if len(root.value) == 1 and lists and isinstance(lists[0], yaml.SequenceNode) else None


def _inside(key: yaml.Node, node: yaml.Node) -> bool:
    return bool(node.start_mark.index <= key.start_mark.index < node.end_mark.index)


def _described(loader: BoundedLoader, node: yaml.Node) -> TopicDescription | TopicFileProblem:
    line = node.start_mark.line + 1
    try:
        for key in loader.repeated_keys:
            if _inside(key, node):
                raise repeated(key)
        said = loader.construct_object(node, deep=True)
    except YamlRefused as refused:
        return TopicFileProblem(refused.line, refused.reason)
    except (yaml.YAMLError, ValueError):  # a date that is none, for instance
        return TopicFileProblem(line, UNREADABLE)
    wrong = _wrong(said)
    if wrong is not None:
        return TopicFileProblem(line, wrong)
    return TopicDescription(
        name=" ".join(said["name"].split()),
        query=said["query"].strip(),
        packs=tuple(said["packs"]) if "packs" in said else None,
        without=tuple(said.get("without", ())),
        urgent=said.get("urgent", False),
        held=said.get("held", False),
        line=line,
    )


def _wrong(said: Any) -> str | None:
    """What is wrong with a topic as YAML gave it; None when it has the form of one."""
    if not isinstance(said, dict):
        return "a topic needs 'name' and 'query'"
    for field in said:
        if field not in _FIELDS:
            return f"'{field}' is no field of a topic: there are {', '.join(_FIELDS)}"
    for field in _TEXTS:
        if not isinstance(said.get(field), str):
            return f"'{field}' must be words: put them between quotation marks"
    for field in _LISTS:
        words = said.get(field, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return f"'{field}' must be a list of words: [One, \"Two\"]"
    for field in _SWITCHES:
        if not isinstance(said.get(field, False), bool):
            return f"'{field}' must be true or false"
    return None
