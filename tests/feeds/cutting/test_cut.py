"""Cutting: compiled digests become their articles, ordinary posts stay one, and no word is lost or told twice."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feeds.citations.extract import mark_source_lines
from newsletter.feeds.cutting.cut import MODES, WHOLE, Cut, cut_entry, refusal
from newsletter.feeds.cutting.headlines import comparison_key
from newsletter.feeds.html import sanitize_html
from newsletter.feeds.html.blocks import Block
from newsletter.feeds.parsing.model import ParsedEntry

SAMPLES = Path(__file__).parents[2] / "samples" / "digests"
COMPILED = yaml.safe_load((SAMPLES / "compiled.yaml").read_text(encoding="utf-8"))
ORDINARY = yaml.safe_load((SAMPLES / "ordinary.yaml").read_text(encoding="utf-8"))


def entry(html: str, title: str = "A digest") -> ParsedEntry:
    return ParsedEntry(
        guid="1",
        url="",
        title=title,
        html=sanitize_html.sanitize(html),
        base="https://digest.example/1",
        author="",
        categories=(),
        published_at=None,
        lang="",
    )


def assert_nothing_lost(of: ParsedEntry, made: Cut) -> None:
    """Every line of the entry, but for its source lines, is in a piece or in what is left out."""
    told = comparison_key("\n".join([*(f"{piece.title}\n{piece.text}" for piece in made.pieces), made.left_out]))
    for part in mark_source_lines(sanitize_html.parse_blocks(of.html, of.base)):
        for line in part.text.split("\n") if isinstance(part, Block) else ():
            assert comparison_key(line) in told, line


@pytest.mark.parametrize("sample", COMPILED, ids=lambda sample: sample["name"])
def test_a_compiled_digest_becomes_its_articles(sample: dict) -> None:
    of = entry(sample["html"], sample["title"])
    made = cut_entry(of)
    assert [piece.title for piece in made.pieces] == sample["articles"], made.reason
    if "publishers" in sample:
        assert [next((one.publisher for one in piece.cited), "") for piece in made.pieces] == sample["publishers"]
    assert len({piece.key for piece in made.pieces} - {WHOLE}) == len(made.pieces)
    assert all(piece.text.strip() for piece in made.pieces)
    assert not any("Source:" in piece.text or "class=" in piece.html or "id=" in piece.html for piece in made.pieces)
    assert made.reason.startswith(f"{len(made.pieces)} articles: ")
    assert_nothing_lost(of, made)


@pytest.mark.parametrize("sample", ORDINARY, ids=lambda sample: sample["name"])
def test_an_ordinary_post_stays_one(sample: dict) -> None:
    of = entry(sample["html"], sample["title"])
    made = cut_entry(of)
    assert [(piece.key, piece.title) for piece in made.pieces] == [(WHOLE, sample["title"])], made.reason
    assert made.reason.startswith("treated as one article: ")
    assert_nothing_lost(of, made)


def test_there_are_enough_samples() -> None:
    assert len(COMPILED) >= 60
    assert len(ORDINARY) >= 130


def two_articles(first: str, second: str) -> str:
    return f"<h3>Ferry sold</h3><p>To a bank.</p>{first}<h3>Crane falls</h3><p>At night.</p>{second}"


DATED = two_articles("<p>Source: Wire, November 5, 2019</p>", "<p>Source: Quay, November 6, 2019</p>")
BYLINES = (
    "<h3><a href='https://w.example/a'>Ferry line is sold to a bank</a></h3><p>At last.</p><p>Wire, December 5, 2026</p>"
    "<h3><a href='https://q.example/b'>Crane falls on an empty street</a></h3><p>At night.</p><p>Quay, December 6, 2026</p>"
)


@pytest.mark.parametrize(
    ("html", "published_at", "pieces"),
    [
        (DATED, datetime(2019, 11, 8, tzinfo=UTC), 2),
        (DATED, datetime(2020, 11, 5, tzinfo=UTC), 2),
        (DATED, datetime(2026, 11, 8, tzinfo=UTC), 1),
        (DATED, None, 2),
        # publisher and day under each headline: articles once the day has come, events before
        (BYLINES, datetime(2026, 12, 7, tzinfo=UTC), 2),
        (BYLINES, datetime(2026, 11, 29, tzinfo=UTC), 1),
        (BYLINES, None, 1),
    ],
)
def test_the_date_of_the_post_separates_news_from_figures_and_events(
    html: str, published_at: datetime | None, pieces: int
) -> None:
    made = cut_entry(replace(entry(html, "Notes"), published_at=published_at))
    assert len(made.pieces) == pieces, made.reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<figure><figcaption>", "</figcaption></figure>"),
        ("<div class='wp-caption'><p class='wp-caption-text'>", "</p></div>"),
        ("<p class='image-caption'>", "</p>"),
        ("<figure><div><figcaption><p>", "</p></figcaption></div></figure>"),
    ],
)
def test_captions_are_no_source_lines_of_articles(before: str, after: str) -> None:
    first, second = (f"{before}Source: {name}, November 5, 2026{after}" for name in ("Wire", "Quay"))
    assert len(cut_entry(entry(two_articles(first, second))).pieces) == 1
    own = [f"<p>Source: {name}, November 6, 2026</p>" for name in ("Anchor", "Bell")]
    made = cut_entry(entry(two_articles(first + own[0], second + own[1])))
    assert [piece.cited[0].publisher for piece in made.pieces] == ["Anchor", "Bell"]
    plain = [f"<p>Source: {name}, November 5, 2026</p>" for name in ("Wire", "Quay")]
    assert len(cut_entry(entry(two_articles(*plain))).pieces) == 2


def test_headlines_that_link_to_the_own_site_are_no_digest() -> None:
    html = "".join(
        f"<h3><a href='https://{host}.example/a/{host}'>Ferry line is sold to a bank</a></h3><p>At last.</p>"
        for host in ("wire", "quay", "bell", "log")
    )
    post = entry(html, "This week's links")
    assert len(cut_entry(post).pieces) == 4
    assert len(cut_entry(replace(post, html=html.replace("quay.", "digest.").replace("bell.", "digest."))).pieces) == 1


ARTICLES = (
    "<h3 class='entry-title'>Ferry fares go up</h3><p>A ticket costs more.</p><p>Source: Wire https://wire.example/1</p>",
    "<h3 class='entry-title'>Museum ship leaks</h3><p>She is closed.</p><p>Source: Quay https://quay.example/2</p>",
    "<h3 class='entry-title'>Tug crews vote</h3><p>On Thursday.</p><p>Source: Wire, November 5, 2026</p>",
    "<h3 class='entry-title'>Pilots rest</h3><p>At last.</p><p>Source: Quay, November 6, 2026</p>",
)


def keys(*articles: str) -> dict[str, bytes]:
    return {piece.title: piece.key for piece in cut_entry(entry("".join(articles))).pieces}


@pytest.mark.parametrize(
    "after",
    [
        ("<h3>Brand new</h3><p>News.</p><p>Source: Wire, November 7, 2026</p>", *ARTICLES),
        (*ARTICLES[:2], "<h3>Brand new</h3><p>News.</p><p>Source: Wire https://wire.example/9</p>", *ARTICLES[2:]),
        tuple(reversed(ARTICLES)),
        ARTICLES[1:],
        (ARTICLES[0], *ARTICLES[2:]),
        tuple(f"<h3>{number}. {article.partition('>')[2]}" for number, article in enumerate(ARTICLES[::-1], 1)),
    ],
    ids=["on top", "in the middle", "the other way round", "first one gone", "second one gone", "numbered anew"],
)
def test_other_articles_do_not_change_a_key(after: tuple[str, ...]) -> None:
    before, now = keys(*ARTICLES), keys(*after)
    assert len(set(now.values())) == len(after)
    assert {title: key for title, key in before.items() if title in now} == {
        title: key for title, key in now.items() if title in before
    }


def test_an_edited_headline_keeps_the_key_of_an_article_with_a_url() -> None:
    assert (
        keys(*ARTICLES)["Ferry fares go up"]
        == keys(ARTICLES[0].replace("go up", "rise"), *ARTICLES[1:])["Ferry fares rise"]
    )


@pytest.mark.parametrize(
    ("selector", "html", "titles"),
    [
        (
            "h3.entry-title",
            "<h3>About us</h3><p>We.</p>" + "".join(ARTICLES),
            ["Ferry fares go up", "Museum ship leaks", "Tug crews vote", "Pilots rest"],
        ),
        (
            "div.brief",
            "<p>Hello.</p><div class='brief'><p>One</p><p>Text.</p></div><div class='brief x'><p>Two</p><p>Text.</p></div>",
            ["One", "Two"],
        ),
        ("#first, #second", "<p id='first'>One</p><p>Text.</p><p id='second'>Two</p><p>Text.</p>", ["One", "Two"]),
        (
            "h2, p > strong",
            "<h2>One</h2><p>Text with <strong>weight</strong>.</p><p><strong>Two</strong><br>Text.</p>",
            ["One", "Two"],
        ),
        (
            "p > strong",
            "<p>Words.<br><strong>One</strong><br>Text.<br><br><strong>Two</strong><br>Text.</p>",
            ["One", "Two"],
        ),
        ("li", "<ul><li><b>One</b><br>Text.</li><li><b>Two</b><br>Text.</li></ul>", ["One", "Two"]),
        ("tr", "<table><tr><th>One</th><td>1</td></tr><tr><th>Two</th><td>2</td></tr></table>", ["One", "Two"]),
        (
            "td.article",
            "<table><tr><td>Menu</td><td class='article'><h4>One</h4>Text.</td></tr>"
            "<tr><td></td><td class='article'><h4>Two</h4>Text.</td></tr></table>",
            ["One", "Two"],
        ),
        (
            "span.title",
            "<div><span class='title'>One</span><br>Text.<br><span class='title'>Two</span><br>Text.</div>",
            ["One", "Two"],
        ),
        ("hr + p", "<p>Zero</p><hr><p>One</p><p>Text.</p><hr><p>Two</p><p>Text.</p>", ["One", "Two"]),
        (
            "h3:not(.ad)",
            "<h3>One</h3><p>Text.</p><h3 class='ad'>Buy</h3><p>Now.</p><h3>Two</h3><p>Text.</p>",
            ["One", "Two"],
        ),
        (
            "div.brief, h3",
            "<div class='brief'><h3>One</h3><p>Text.</p></div><div class='brief'><h3>Two</h3><p>Text.</p></div>",
            ["One", "Two"],
        ),
    ],
)
def test_a_selector_says_what_begins_an_article(selector: str, html: str, titles: list[str]) -> None:
    assert refusal(selector) == ""
    of = entry(html)
    made = cut_entry(of, selector)
    assert [piece.title for piece in made.pieces] == titles, made.reason
    assert made.reason.startswith(f"{len(titles)} articles: '{selector}' is found in ")
    assert not any("class" in piece.html or "id=" in piece.html for piece in made.pieces)
    assert_nothing_lost(of, made)


@pytest.mark.parametrize(
    ("selector", "reason"),
    [
        ("h3.title", "treated as one article: 'h3.title' is found in 0 places, and two are needed"),
        ("h3:first-of-type", "treated as one article: 'h3:first-of-type' is found in 1 place, and two are needed"),
        ("pre", "treated as one article: 'pre' is found in 0 places, and two are needed"),
    ],
)
def test_a_selector_that_finds_no_two_leaves_the_entry_whole(selector: str, reason: str) -> None:
    made = cut_entry(entry("".join(ARTICLES)), selector)
    assert (len(made.pieces), made.reason) == (1, reason)


@pytest.mark.parametrize(
    "mode", ["h3[", "", " ", "h3,,p", ":has(", "@media", "p::before", "h3;", "allways", "nonsense", "p:foo", "x" * 301]
)
def test_what_is_no_selector_is_refused_in_one_line(mode: str) -> None:
    reason = refusal(mode)
    assert reason
    assert "\n" not in reason
    assert "h3.entry-title" in reason
    assert len(cut_entry(entry("".join(ARTICLES)), mode).pieces) == 1, "and does no harm where it is stored already"


@pytest.mark.parametrize("mode", [*MODES, "h2", "div.brief > h3 ~ p", "[class*=title]", "p:nth-of-type(2n+1)"])
def test_modes_and_selectors_are_taken(mode: str) -> None:
    assert refusal(mode) == ""


def test_never_leaves_a_digest_whole_and_always_cuts_an_ordinary_post() -> None:
    digest, post = entry("".join(ARTICLES)), entry("<h2>One</h2><p>Text.</p><h2>Two</h2><p>Text.</p>")
    assert [piece.key for piece in cut_entry(digest, "never").pieces] == [WHOLE]
    assert [piece.title for piece in cut_entry(post, "auto").pieces] == ["A digest"]
    assert [piece.title for piece in cut_entry(post, "always").pieces] == ["One", "Two"]
    between = entry("<p>One thing.</p><hr><p>Another thing.</p>")
    assert [piece.text for piece in cut_entry(between, "always").pieces] == ["One thing.\n\n", "Another thing.\n\n"]


def test_long_words_around_the_articles_are_an_item_of_their_own() -> None:
    hello, bye = (
        f"<p>{'Dear readers, it was a long week. ' * 20}</p>",
        f"<p>{'Until next week, and mind the ice. ' * 20}</p>",
    )
    made = cut_entry(entry(hello + "".join(ARTICLES) + bye, "Weekly"))
    assert [piece.title for piece in made.pieces][::5] == ["Weekly", "Weekly"]
    assert len({piece.key for piece in made.pieces}) == 6
    short = cut_entry(entry("<p>Dear readers!</p>" + "".join(ARTICLES) + "<p>Bye.</p>"))
    assert short.left_out.split() == ["Dear", "readers!", "Bye."]


WORDS = st.lists(
    st.sampled_from(["harbour", "ship", "pilot", "closed", "crane", "night", "wages", "港口", "船", "порт", "كىتاب"]),
    min_size=3,
    max_size=8,
)
PARAGRAPHS = st.lists(WORDS.map(lambda found: " ".join(found) + "."), min_size=1, max_size=4)
DIGESTS = st.lists(st.tuples(WORDS, PARAGRAPHS, st.booleans()), min_size=2, max_size=8)
HEADS = st.sampled_from(
    ["<h2>{}</h2>", "<h3>{}</h3>", "<h4><a href='#x'>{}</a></h4>", "<p><b>{}</b></p>", "<div><strong>{}</strong></div>"]
)
FRAMES = st.sampled_from(
    [
        "{}",
        "<div class='a'><section>{}</section></div>",
        "<table><tr><td>{}</td></tr></table>",
        "<blockquote><hr>{}</blockquote>",
    ]
)


@given(digest=DIGESTS, head=HEADS, frame=FRAMES, order=st.randoms(use_true_random=False))
def test_a_generated_digest_is_cut_into_exactly_its_articles(
    digest: list, head: str, frame: str, order: Random
) -> None:
    articles = []
    for number, (title, paragraphs, has_url) in enumerate(digest):
        name = f"Number{number} {' '.join(title)}"
        source = f"https://wire.example/{number}" if has_url else f"November {number + 1}, 2026"
        body = "".join(f"<p>{text}</p>" for text in paragraphs)
        articles.append((name, paragraphs, f"{head.format(name)}{body}<p>Source: Wire{number}, {source}</p>"))

    def made(chosen: list) -> Cut:
        return cut_entry(entry(frame.format("".join(html for _, _, html in chosen))))

    before = made(articles)
    assert [(piece.title, piece.text.split("\n\n")[:-1], piece.cited[0].publisher) for piece in before.pieces] == [
        (name, paragraphs, f"Wire{number}") for number, (name, paragraphs, _) in enumerate(articles)
    ]
    assert before.left_out == ""
    shuffled = order.sample(articles, len(articles))
    keys_of = {piece.title: piece.key for piece in before.pieces}
    assert {piece.title: piece.key for piece in made(shuffled).pieces} == keys_of


BITS = st.sampled_from([
    *ARTICLES, "<h2>China</h2>", "<p>Words that say nothing.</p>", "<hr>", "<ul><li>One item</li><li>Another</li></ul>",
    "<p><b>Bold line</b></p>", "<p>1. Numbered line</p>", "<p>Source: Wire, November 5, 2026</p>", "<p>Source: Wire</p>",
    "<div>One<br><br><b>Two words</b><br>three</div>", "<table><tr><td><h3>In a frame</h3><p>text</p></td></tr></table>",
    "<p>End. (Source: Quay, November 6, 2026)</p>", "<blockquote><p>Quoted words</p></blockquote>",
])  # fmt: skip


@given(bits=st.lists(BITS, max_size=12), mode=st.sampled_from([*MODES, "h3, p > b", "p", "li, h2", "div"]))
def test_no_line_is_lost(bits: list[str], mode: str) -> None:
    of = entry("".join(bits))
    made = cut_entry(of, mode)
    assert_nothing_lost(of, made)
    assert len({piece.key for piece in made.pieces}) == len(made.pieces) >= 1
