"""Load untrusted YAML as plain values, or say what is wrong and on which line; no small text can grow into a large value.

PyYAML's safe loader makes no objects of classes, but it follows aliases (`*a`) and merge keys (`<<`) wherever they lead, takes
the last of two equal keys without a word, and reads a number of any length.
"""

from typing import Any

import yaml

#: Characters that all aliases of a text may stand for together, merge keys included.
MOST_REPEATED = 100_000
#: The longest number or date, in characters.
LONGEST_NUMBER = 100
UNREADABLE = "it holds a value that cannot be read: put it between quotation marks"
_NUMBERS = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "timestamp")}


class YamlRefused(yaml.MarkedYAMLError):
    """A text that is not read; `line` counts from 1, `reason` says what to do."""

    def __init__(self, reason: str, mark: Any) -> None:
        super().__init__(problem=reason, problem_mark=mark)
        self.reason = reason
        self.line = mark.line + 1


class BoundedLoader(yaml.SafeLoader):
    """PyYAML's safe loader with a bound for what aliases stand for, and an eye for keys that stand twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        #: Every key that stands in its mapping for a second time.
        self.repeated_keys: list[yaml.ScalarNode] = []
        #: Where an alias stands inside of what it stands for.
        self.cycles: list[Any] = []
        self._sizes: dict[int, int] = {}
        self._left = MOST_REPEATED

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node, with what aliases stand for counted."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        node: yaml.Node | None = super().compose_node(parent, index)
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self._sizes:
                self.cycles.append(event.start_mark)
            self._left -= self._sizes.get(id(node), 0)
            if self._left < 0:
                raise YamlRefused("its aliases (*name) repeat too much: write the values out", event.start_mark)
        elif node is not None:
            self._sizes[id(node)] = self._size(node)
        return node

    def _size(self, node: yaml.Node) -> int:
        """Characters of a value when its aliases are written out; its parts have been composed."""
        if isinstance(node, yaml.ScalarNode):
            return 1 + len(node.value)
        parts = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
        return 1 + sum(self._sizes.get(id(part), 0) for part in parts)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The next mapping, with its keys looked at."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    self.repeated_keys.append(key)
                seen.add((key.tag, key.value))
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node."""
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise YamlRefused("a number is too long: put it between quotation marks", node.start_mark)
        return super().construct_object(node, deep)


def repeated(key: yaml.ScalarNode) -> YamlRefused:
    """What is wrong with a key that stands for a second time."""
    return YamlRefused(f"'{key.value}' appears twice: keep one of them", key.start_mark)


def load(text: str) -> Any:
    """The value of a text.

    Raises:
        YamlRefused: it repeats a key or too much, or holds a value that cannot be read; or it is nested too deep.
        yaml.YAMLError: it is not YAML.
    """
    loader = BoundedLoader(text)
    try:
        node = loader.get_single_node()
        if loader.repeated_keys:
            raise repeated(loader.repeated_keys[0])
        if loader.cycles:
            raise YamlRefused("an alias (*name) leads back to itself: write the values out", loader.cycles[0])
        return None if node is None else _value(loader, node)
    except RecursionError:
        raise YamlRefused("it is nested too deep", loader.get_mark()) from None


def _value(loader: BoundedLoader, node: yaml.Node) -> Any:
    try:
        return loader.construct_document(node)
    except ValueError:  # a date that is none, for instance
        raise YamlRefused(UNREADABLE, node.start_mark) from None
