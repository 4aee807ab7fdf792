"""Safe HTML as a tree of plain values. Lexbor (selectolax) parses it as browsers do (WHATWG HTML)."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

#: An element below this depth is replaced by its text, so that a reader of the tree can recurse.
DEPTH = 100


@dataclass(frozen=True, eq=False, slots=True)
class Element:
    """An element, compared and hashed by identity. `is_start`: the feed's selector matches, so an article begins here."""

    tag: str
    attributes: dict[str, str]
    children: tuple["Element | str", ...]
    is_start: bool = False


def parse(html: str, selector: str = "") -> Element:
    """The body of `html`, which is made safe. `selector` is empty or a valid CSS selector of what begins an article."""
    # without a doctype, the names of classes and ids would have no case
    document = LexborHTMLParser(f"<!DOCTYPE html><body>{html}")
    starts = {node.mem_id for node in document.css(selector)} if selector else set[int]()
    return Element("body", {}, tuple(_children(document.body, starts, 1)) if document.body else ())


def _children(parent: LexborNode, starts: Container[int], depth: int) -> Iterator[Element | str]:
    node = parent.first_child
    while node is not None:
        if not node.is_element_node:
            yield node.text_content or ""
        elif depth > DEPTH:
            yield node.text(separator=" ")
        else:
            attributes = {name: value or "" for name, value in node.attributes.items()}
            children = tuple(_children(node, starts, depth + 1))
            yield Element(node.tag or "", attributes, children, node.mem_id in starts)
        node = node.next
