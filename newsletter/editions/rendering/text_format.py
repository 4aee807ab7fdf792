"""Text for a reader: headlines, dates, hosts, writing directions, subjects."""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from newsletter.editions.rendering.values import ItemContent
from newsletter.lib.shorten import shorten

#: Neutral subjects: they name neither a topic nor a headline.
SUBJECTS = {
    ("alert", "immediate"): "Your update",
    ("digest", "daily"): "Your daily update",
    ("digest", "weekly"): "Your weekly update",
}
LONGEST_SUBJECT = 120
#: Directional formatting characters (UAX #9): in a line of ours they could reorder our words as well.
_BIDI_CONTROLS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
#: Blocks that Unicode reserves for right-to-left scripts: Hebrew, Arabic, Syriac, Thaana, N'Ko and others.
_RTL_LETTERS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]")
#: Languages written from right to left, for texts without letters that show the direction.
_RTL_LANGUAGES = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_ISOLATE, _END = "\u2068", "\u2069"


def one_line(text: str) -> str:
    """Text on one line, without control and directional formatting characters."""
    return " ".join(
        "".join(" " if char < " " or "\x7f" <= char < "\xa0" else char for char in _BIDI_CONTROLS.sub("", text)).split()
    )


def headline(item: ItemContent) -> str:
    """The title as it is shown: never empty."""
    return one_line(item.title) or shorten(one_line(item.text), 80) or "Without a title"


def subject(kind: str, cadence: str, titles: Sequence[str], *, discreet: bool) -> str:
    """The subject of an alert or digest: neutral, or the first headline with the number of others."""
    if discreet or not titles:
        return SUBJECTS[kind, cadence]
    # in brackets: "A village gets its own mast and 2 more" would read as three masts
    more = f" (and {articles(len(titles) - 1, more=True)})" if len(titles) > 1 else ""
    return isolated(shorten(titles[0], LONGEST_SUBJECT - len(more))) + more


def articles(count: int, *, more: bool = False) -> str:
    """`1 article`, `3 articles`; with `more`, `1 more article`, `3 more articles`."""
    return f"{count}{' more' if more else ''} article{'' if count == 1 else 's'}"


def left_over(count: int, cadence: str) -> str:
    """What a mail says about the articles that did not fit into it."""
    they_come = "It comes" if count == 1 else "They come"
    # what an alert has no room for goes out with the reader's daily mail
    mail = "weekly mail" if cadence == "weekly" else "daily mail"
    return f"{articles(count, more=True)} did not fit. {they_come} first in your next {mail}."


def long_date(day: date | None, locale: str) -> str:
    """`November 5, 2020`, as the locale writes it; empty if there is no date."""
    return "" if day is None else format_date(day, "long", _locale(locale))


def web_link(url: str) -> str:
    """`url` if it is an http or https URL that is safe to link to, else empty."""
    return url if host(url) and not re.search(r"[\s\x00-\x1f\x7f<>\"]", url) else ""


def host(url: str) -> str:
    """The host that a link leads to, such as `voachinese.com`; empty if it is not an http or https URL."""
    try:
        parts = urlsplit(url)
        name = parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return ""
    return (name or "").removeprefix("www.")


def direction(text: str, lang: str = "") -> str:
    """`rtl` or `ltr`, as most of the letters are written; `lang` counts only for a text without letters."""
    text = text[:2000]
    right = len(_RTL_LETTERS.findall(text))
    left = sum(map(str.isalpha, text)) - right
    if right <= 0 and left <= 0:
        return "rtl" if lang.partition("-")[0].lower() in _RTL_LANGUAGES else "ltr"
    return "rtl" if right > left else "ltr"


def is_han(text: str) -> bool:
    """Whether more than a third of the letters are Chinese characters or kana, which need more space between lines."""
    letters = [char for char in text[:400] if char.isalpha()]
    return sum("\u3040" <= char <= "\u9fff" for char in letters) * 3 > len(letters)


def isolated(text: str) -> str:
    """Text isolated (UAX #9) where it would change the direction of the line around it."""
    return f"{_ISOLATE}{text}{_END}" if _RTL_LETTERS.search(text) else text


@lru_cache(maxsize=64)
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name, sep="-" if "-" in name else "_")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
