"""Read and write YAML files of topics. Problems are reported with their line."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from newsletter.lib.yaml_loader import UNREADABLE, BoundedLoader, YamlRefused, repeated

_TEXTS, _LISTS, _SWITCHES = ("name", "query"), ("packs", "without"), ("urgent", "held")
_FIELDS = (*_TEXTS, "description", *_LISTS, *_SWITCHES)
_SHAPE = "it needs 'topics', a list of topics with 'name' and 'query': 'newsletter topics export' writes such a file"


@dataclass(frozen=True)
class TopicDescription:
    """A topic as a file describes it on `line`.

    `packs` None: all packs. `description` None: the file says nothing of it, and an existing one is kept.
    """

    name: str
    query: str
    description: str | None = None
    packs: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    urgent: bool = False
    held: bool = False
    line: int = 0


@dataclass(frozen=True)
class TopicFileProblem:
    """Why the topic on `line` is not imported."""

    line: int
    reason: str


@dataclass(frozen=True)
class TopicFile:
    """The topics of a file in their order, and those that cannot be read."""

    topics: tuple[TopicDescription, ...]
    problems: tuple[TopicFileProblem, ...]


@dataclass(frozen=True)
class NotATopicFile:
    """The file is not a file of topics; `reason` says what to do."""

    reason: str


def read_topic_file(data: bytes) -> TopicFile | NotATopicFile:
    """Read the topics of a file. One that cannot be read is a problem, and does not stop the others."""
    try:
        loader = BoundedLoader(data.decode("utf-8-sig"))
        entries = _entries(loader.get_single_node())
        if entries is None and loader.repeated_keys:
            raise repeated(loader.repeated_keys[0])
        if entries is None:
            return NotATopicFile(_SHAPE)
        read = [_read_topic(loader, node) for node in entries]
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
        tuple(topic for topic in read if isinstance(topic, TopicDescription)),
        tuple(problem for problem in read if isinstance(problem, TopicFileProblem)),
    )


def write_topic_file(topics: Iterable[TopicDescription]) -> str:
    """Write a file of topics, the inverse of `read_topic_file`."""
    return yaml.safe_dump(
        {"topics": [_to_mapping(topic) for topic in topics]}, allow_unicode=True, sort_keys=False, width=120
    )


def _to_mapping(topic: TopicDescription) -> dict[str, Any]:
    mapping: dict[str, Any] = {"name": topic.name, "query": topic.query}
    if topic.description:
        mapping["description"] = topic.description
    if topic.packs is not None:
        mapping["packs"] = list(topic.packs)
    if topic.without:
        mapping["without"] = list(topic.without)
    return mapping | {name: True for name in _SWITCHES if getattr(topic, name)}


def _entries(root: yaml.Node | None) -> list[yaml.Node] | None:
    """The nodes of the topics. Returns None if the file has no list of them."""
    if not isinstance(root, yaml.MappingNode):
        return None
    lists = [value for key, value in root.value if key.value == "topics"]
    return lists[0].value if len(root.value) == 1 and lists and isinstance(lists[0], yaml.SequenceNode) else None


def _inside(key: yaml.Node, node: yaml.Node) -> bool:
    return bool(node.start_mark.index <= key.start_mark.index < node.end_mark.index)


def _read_topic(loader: BoundedLoader, node: yaml.Node) -> TopicDescription | TopicFileProblem:
    line = node.start_mark.line + 1
    try:
        for key in loader.repeated_keys:
            if _inside(key, node):
                raise repeated(key)
        values = loader.construct_object(node, deep=True)
    except YamlRefused as refused:
        return TopicFileProblem(refused.line, refused.reason)
    except (yaml.YAMLError, ValueError):  # an invalid date, for instance
        return TopicFileProblem(line, UNREADABLE)
    reason = _problem(values)
    if reason is not None:
        return TopicFileProblem(line, reason)
    return TopicDescription(
        name=" ".join(values["name"].split()),
        query=values["query"].strip(),
        description=values["description"].strip() if "description" in values else None,
        packs=tuple(values["packs"]) if "packs" in values else None,
        without=tuple(values.get("without", ())),
        urgent=values.get("urgent", False),
        held=values.get("held", False),
        line=line,
    )


def _problem(values: Any) -> str | None:
    """What is wrong with a topic as read from YAML. Returns None if its form is right."""
    if not isinstance(values, dict):
        return "a topic needs 'name' and 'query'"
    for field in values:
        if field not in _FIELDS:
            return f"a topic has no field '{field}': its fields are {', '.join(_FIELDS)}"
    for field in (*_TEXTS, *({"description"} & values.keys())):
        if not isinstance(values.get(field), str):
            return f"'{field}' must be words: put them between quotation marks"
    for field in _LISTS:
        words = values.get(field, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return f"'{field}' must be a list of words: [One, \"Two\"]"
    for field in _SWITCHES:
        if not isinstance(values.get(field, False), bool):
            return f"'{field}' must be true or false"
    return None
