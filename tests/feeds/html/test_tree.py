"""The tree that an entry's HTML becomes: elements, attributes and texts, and where the feed's selector matches."""

from newsletter.feeds.html.css_selector import refusal
from newsletter.feeds.html.sanitize_html import parse_blocks
from newsletter.feeds.html.tree import DEPTH, Element, parse


def elements(parent: Element) -> list[Element]:
    out: list[Element] = []
    for child in parent.children:
        if isinstance(child, Element):
            out += [child, *elements(child)]
    return out


def test_elements_and_texts_stand_in_their_order() -> None:
    (paragraph,) = parse("<p class=a>one <b>two</b> &amp; three</p>").children
    assert isinstance(paragraph, Element)
    assert (paragraph.tag, paragraph.attributes) == ("p", {"class": "a"})
    first, bold, last = paragraph.children
    assert (first, last) == ("one ", " & three")
    assert isinstance(bold, Element)
    assert bold.children == ("two",)


def test_what_the_selector_matches_is_a_start() -> None:
    body = parse("<h3>a</h3><p>b</p><h3 class=x>c</h3>", "h3:not(.x)")
    assert [element.is_start for element in elements(body)] == [True, False, False]


def test_classes_have_case() -> None:
    assert [element.is_start for element in elements(parse("<p class=X>a</p><p class=x>b</p>", ".x"))] == [False, True]


def test_an_attribute_without_value_is_empty() -> None:
    (link,) = elements(parse("<a href>x</a>"))
    assert link.attributes == {"href": ""}


def test_below_the_depth_only_text_is_left() -> None:
    body = parse("<div>" * 2 * DEPTH + "<p>one</p><p>two</p>")
    assert len(elements(body)) == DEPTH
    assert [block.text for block in parse_blocks("<div>" * 2 * DEPTH + "<p>one</p><p>two</p>")] == ["one two"]


def test_a_selector_that_cannot_be_used_is_refused_and_matches_nothing() -> None:
    for selector in ("h3[", "h3:unheard-of", "h3 >", "h3 { color: red }"):
        assert "no CSS selector" in refusal(selector)
        assert [block.kind for block in parse_blocks("<h3>a</h3>", starts=selector)] == ["h3"]
