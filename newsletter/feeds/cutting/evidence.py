"""Evidence for and against a digest where source lines or links stand under headings."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from newsletter.feeds.citations import dates_in_text
from newsletter.feeds.citations.canonical_url import original
from newsletter.feeds.citations.extract import Part, SourceLine
from newsletter.feeds.citations.source_line import CitedSource
from newsletter.feeds.cutting import post_words
from newsletter.feeds.cutting.headlines import comparison_key, heading_url
from newsletter.feeds.dates.calendar_words import months_named
from newsletter.feeds.html.blocks import Block

#: Articles of one digest are of about the same time, and no older than it by more.
ONE_TIME = timedelta(days=366)
#: So many articles of one publisher on one day are a digest; fewer are charts from one report.
SAME = 3
#: No headline has fewer words.
HEADLINE = 2
#: A publisher and a date below a linked headline, as short as that.
BYLINE = 80
#: Words that a headline has, and letters of those of them that are no mere "of" and "the".
SENTENCE, LONG = 5, 4
#: A number of things, unless it is the last word ("Notes 3").
_LISTICLE = re.compile(
    r"(?<!\d)(?P<many>\d{1,3})(?![\d.:,])(?!\s*$)(?!\s*(?:january|february|march|april|may|june|july))", re.I
)
_DATE_IN_PATH = re.compile(r"/(?:19|20)\d\d[/-]?\d\d(?:[/-]|$)")
_T = TypeVar("_T")
_UNSPACED = re.compile(r"[\u2e80-\u9fff\u0e00-\u0eff\uac00-\ud7af]")


@dataclass(frozen=True)
class Post:
    """What is known of an entry beside its text; `site` is a URL on its own site."""

    title: str
    published_on: date | None = None
    site: str = ""


def length(text: str) -> float:
    """The number of words; in a script without spaces two characters count as one."""
    dense = sum("\u2e80" <= char <= "\u9fff" or "\u0e00" <= char <= "\u0eff" for char in text)
    return len(text.split()) + dense / 2


def most(number: int) -> int:
    """Three of four."""
    return number - number // 4


def numbers_promised(title: str) -> set[int]:
    """The numbers of things that a title speaks of: "7 cameras for travellers"."""
    return {int(hit["many"]) for hit in _LISTICLE.finditer(title)}


def against_sources(post: Post, heads: Sequence[str], lines: Sequence[SourceLine]) -> str:
    """Why source lines under headings are no articles' own; empty when nothing speaks against it.

    They are of one article when the headings are questions, times or parts of one text; when all name the very same source
    without a page of its own, bodies that publish figures or laws, or sources that lie years apart.
    """
    if post_words.ONE_TEXT.search(post.title):
        return "its title is that of one article"
    reason = against_headings(heads)
    if reason:
        return reason
    cited = [line.cited[0] for line in lines]
    pages = {original(source.url) for source in cited}
    if len(pages) == 1 and "" not in pages:
        return "its source lines all lead to one page"
    if len({_source_key(source) for source in cited}) == 1 and (len(cited) < SAME or not cited[0].published_on):
        return "its source lines all name the same source"
    data = post_words.OWN_WORK if len(pages - {""}) == len(cited) else post_words.DATA
    if all(data.search(source.publisher) for source in cited):
        return "its source lines are those of figures or rules"
    days = [source.published_on for source in cited if source.published_on]
    if days and not any(source.url for source in cited):
        if max(days) - min(days) > ONE_TIME:
            return "its sources are more than a year apart"
        if post.published_on and post.published_on - max(days) > ONE_TIME:
            return "its sources are more than a year older"
    return ""


def against_headings(heads: Sequence[str]) -> str:
    """Why headings are none of articles, for the most part; empty when they may be."""
    for form, reason in (
        (post_words.TIME, "its headings are times"),
        (post_words.QUESTION, "its headings are questions"),
        (post_words.PART, "its headings are parts of one text"),
    ):
        if _most_of(heads, form.search):
            return reason
    if _most_of(heads, lambda head: length(head) < HEADLINE):
        return "its headings are single words"
    if _most_of(heads, _is_month):
        return "its headings are months"
    return "its headings are those of one text" if any(map(post_words.SECTION.search, heads)) else ""


def against_links(post: Post, heads: Sequence[Block], articles: Sequence[Sequence[Part]]) -> str:
    """Why headings that link to pages are none of articles; empty when they surely are.

    It needs a title of something compiled, a date in the links, or publisher and date below each; headings that are sentences,
    unless the title speaks of news; and pages of several other sites.
    """
    texts = [head.text for head in heads]
    is_news, urls = post_words.NEWS.search(post.title) is not None, [heading_url(head) for head in heads]
    bylines = _most_of(articles, lambda article: _has_byline(article, post.published_on))
    if post_words.THINGS.search(post.title):
        return "its title is that of a list, a release or a year"
    reason = against_headings(texts)
    if reason:
        return reason
    hosts = [_host(url) for url in urls]
    if sum(host == _host(post.site) for host in hosts) > len(hosts) // 4:
        return "its headings link to its own site"
    if _most_of(articles, _is_time):
        return "there are only times under its headings"
    if len(set(hosts)) < 2 and not is_news and not bylines:
        return "its headings all link to one site"
    if not is_news and not _most_of(texts, _is_sentence):
        return "its linked headings are names"
    dated = _most_of(urls, _DATE_IN_PATH.search) and not post_words.YEAR_ALONE.search(post.title)
    if post_words.COMPILED.search(post.title) or (bylines and post.published_on) or dated:
        return ""
    return "nothing says that the pages its headings link to are articles"


def _most_of(things: Sequence[_T], is_one: Callable[[_T], object]) -> bool:
    return bool(things) and sum(bool(is_one(thing)) for thing in things) >= max(most(len(things)), 1)


def _source_key(cited: CitedSource) -> tuple[str, date | None, str]:
    return comparison_key(cited.publisher) if cited.publisher else "", cited.published_on, cited.canonical


def _has_byline(article: Iterable[Part], published_on: date | None) -> bool:
    return any(isinstance(part, Block) and _is_byline(part.text, published_on) for part in article)


def _is_byline(text: str, published_on: date | None) -> bool:
    """A publisher and a day that has come: what is announced for a later one is an event."""
    if len(text) > BYLINE:
        return False
    days = [hit.day for hit in dates_in_text.find_all(text) if hit.day and text[: hit.start].strip()]
    return any(published_on is None or day <= published_on + timedelta(days=1) for day in days)


def _is_time(article: Iterable[Part]) -> bool:
    text = "".join(part.text for part in article if isinstance(part, Block))
    return not any(char.isalpha() for char in text)


def _is_month(text: str) -> bool:
    words = [word.strip(",.:") for word in text.split() if not word.strip(",.:").isdecimal()]
    return len(words) == 1 and (
        bool(months_named(words[0])) or re.fullmatch(r"Q[1-4]|[一二三四五六七八九十\d]{1,2}月", words[0]) is not None
    )


def _is_sentence(text: str) -> bool:
    """True for headings with words that a name would write with a capital, where the script has them."""
    if _UNSPACED.search(text) or text.lower() == text.upper():
        return length(text) >= SENTENCE and not text.startswith(("《", "『", "「"))
    words = [word.strip("“”\"'‘’(),.:;!?–—") for word in text.split()]
    return len(words) >= SENTENCE and sum(word[:1].islower() and len(word) >= LONG for word in words) >= 2


def _host(url: str) -> str:
    host = (urlsplit(url).hostname or "").lower()
    return host.removeprefix("www.")
