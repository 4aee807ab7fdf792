"""Matched words marked in an item's HTML: at their place, or not at all."""

import html as entities
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.editions.rendering.highlight import fit_for_mail, mark_html, mark_line


def find(text: str, word: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(re.escape(word), text)]


def seen(fragment: str) -> str:
    return entities.unescape(re.sub(r"<[^>]*>", "", fragment))


@pytest.mark.parametrize(
    ("fragment", "text", "word", "expected"),
    [
        ("<p>A cat.</p>", "A cat.", "cat", "<p>A <mark>cat</mark>.</p>"),
        ("<p>a <b>ca</b>t</p>", "a cat", "cat", "<p>a <b><mark>ca</mark></b><mark>t</mark></p>"),
        ("<p>a\n  cat</p>", "a cat", "a cat", "<p><mark>a\n  cat</mark></p>"),
        ("<p>R&amp;D &lt;3</p>", "R&D <3", "&D <3", "<p>R<mark>&amp;D &lt;3</mark></p>"),
        ("<ul><li>one</li><li>cat</li></ul>", "* one\n* cat", "cat", "<ul><li>one</li><li><mark>cat</mark></li></ul>"),
        ("<p>维吾尔人</p>", "维吾尔人", "维吾尔", "<p><mark>维吾尔</mark>人</p>"),
        ('<a href="https://cat.example/">cat</a>', "cat", "cat", '<a href="https://cat.example/"><mark>cat</mark></a>'),
        ("<p>ca\u00adt</p>", "cat", "cat", "<p><mark>ca\u00adt</mark></p>"),
    ],
)
def test_word_is_marked_at_its_span(fragment: str, text: str, word: str, expected: str) -> None:
    assert mark_html(fragment, text, find(text, word)) == expected


def test_second_of_three_occurrences_is_marked() -> None:
    fragment, text = "<p>cat <i>cat</i></p><p>cat</p>", "cat cat\n\ncat"
    assert mark_html(fragment, text, [(4, 7)]) == "<p>cat <i><mark>cat</mark></i></p><p>cat</p>"


@pytest.mark.parametrize("ranges", [[(0, 0)], [(90, 99)], [(-3, -1)], [(3, 2)], []])
def test_span_outside_the_text_marks_nothing(ranges: list[tuple[int, int]]) -> None:
    assert mark_html("<p>A cat.</p>", "A cat.", ranges) == "<p>A cat.</p>"


def test_ambiguous_word_is_not_marked() -> None:
    # the plain form lost one of the two: which one is meant cannot be known
    assert "<mark>" not in mark_html("<p>cat and cat</p>", "and cat", [(4, 7)])


def test_overlapping_spans_become_one_mark() -> None:
    assert mark_line("abcdef", [(0, 3), (2, 5), (5, 6)]) == "<mark>abcdef</mark>"
    assert mark_line("a<b", [(0, 1), (2, 3), (9, 12)]) == "<mark>a</mark>&lt;<mark>b</mark>"


WORDS = st.lists(
    st.sampled_from(["cat", "a", "Äpfel", "维吾尔", "R&D", "<b>", "ئۇيغۇر", "catcat"]), min_size=1, max_size=12
)
TAGS = st.sampled_from(["<i>{}</i>", "<p>{}</p>", "<a href='https://e.example/?a=1&amp;b=2'>{}</a>", "{}"])


@given(words=WORDS, data=st.data())
def test_marking_keeps_the_text_and_marks_the_exact_word(words: list[str], data: st.DataObject) -> None:
    fragment = " ".join(data.draw(TAGS).format(entities.escape(word)) for word in words)
    fragment, text = fit_for_mail(fragment), " ".join(words)
    number = data.draw(st.integers(0, len(words) - 1))
    start = len(" ".join(words[:number])) + (1 if number else 0)
    marked = mark_html(fragment, text, [(start, start + len(words[number]))])
    assert seen(marked) == seen(fragment)
    before, _, rest = marked.partition("<mark>")
    inside, _, _ = rest.partition("</mark>")
    assert seen(inside) == words[number]
    assert "".join(seen(before).split()) == "".join("".join(words[:number]).split())


def test_unsuitable_html_is_removed() -> None:
    hostile = (
        '<p style="color:red" class="x" onclick="a()">A<img src="https://pixel.example/1.gif"></p>'
        '<a href="javascript:alert(1)">b</a><a href="/relative">c</a><iframe src="https://x.example"></iframe>'
        "<style>p{background:url(https://x.example)}</style><script>1</script><svg><image href='https://x.example'/></svg>"
        '<video poster="https://x.example"></video><form action="https://x.example"><input></form><!-- a -->'
    )
    left = fit_for_mail(hostile)
    assert re.findall(r"https?:|javascript:|style|class|on\w+=|/relative|<!--", left) == []
    assert "A" in left


def test_headings_rank_below_the_item_title() -> None:
    assert (
        fit_for_mail("<h1>A</h1><h2 dir='rtl'>B</h2><h4 dir='\"x'>C</h4>") == '<h3>A</h3><h3 dir="rtl">B</h3><h4>C</h4>'
    )
