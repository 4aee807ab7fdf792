"""Small things in a reader's words: headlines, dates, hosts, directions of writing, subjects."""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from newsletter.editions.rendering.values import Piece

#: Neutral subjects: they name neither a topic nor a headline.
SUBJECTS = {
    ("alert", "immediate"): "Your update",
    ("digest", "daily"): "Your daily update",
    ("digest", "weekly"): "Your weekly update",
}
LONGEST_SUBJECT = 120
#: Marks that turn the direction of what follows; in a line of ours they could turn our words as well.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
#: Hebrew, Arabic, Syriac, Thaana, N'Ko and their kin, as Unicode sets blocks apart for them.
_TURNING = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]")
#: Languages written from right to left, asked only when a text has no letters that say so themselves.
_RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_ISOLATE, _END = "\u2068", "\u2069"


def one_line(text: str) -> str:
    """Text without line breaks, control characters and marks that turn the direction."""
    return " ".join(
        "".join(" " if char < " " or "\x7f" <= char < "\xa0" else char for char in _TURNS.sub("", text)).split()
    )


def cut(text: str, longest: int) -> str:
    """At most `longest` characters, cut at a word where there is one near, and then with an ellipsis."""
    if len(text) <= longest:
        return text
    short = text[: longest - 1]
    at_word = short.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > longest * 2 // 3 else short).rstrip(" \n.,;:–—-") + "…"


def headline(piece: Piece) -> str:
    """The title as it is shown: never empty."""
    return one_line(piece.title) or cut(one_line(piece.text), 80) or "Without a title"


def subject(kind: str, cadence: str, titles: Sequence[str], *, discreet: bool) -> str:
    """The subject of an alert or digest: neutral, or the first headline with the number of others."""
    if discreet or not titles:
        return SUBJECTS[kind, cadence]
    # in brackets: "A village gets its own mast and 2 more" would read as three masts
    more = f" (and {articles(len(titles) - 1, more=True)})" if len(titles) > 1 else ""
    return isolated(cut(titles[0], LONGEST_SUBJECT - len(more))) + more


def articles(count: int, *, more: bool = False) -> str:
    """`1 article`, `3 articles`; with `more`, `1 more article`, `3 more articles`."""
    return f"{count}{' more' if more else ''} article{'' if count == 1 else 's'}"


def left_over(count: int, cadence: str) -> str:
    """What a mail says of the articles that did not fit into it."""
    came = "It comes" if count == 1 else "They come"
    # what an alert has no room for goes out with the reader's daily mail
    mail = "weekly mail" if cadence == "weekly" else "daily mail"
    return f"{articles(count, more=True)} did not fit. {came} first in your next {mail}."


def on_date(day: date | None, locale: str) -> str:
    """`November 5, 2020`, as the locale writes it; nothing for no date."""
    return "" if day is None else format_date(day, "long", _locale(locale))


def web_link(url: str) -> str:
    """`url` if it is one of the web that may be linked to, else nothing."""
    return url if host(url) and not re.search(r"[\s\x00-\x1f\x7f<>\"]", url) else ""


def host(url: str) -> str:
    """Where a link really leads: `voachinese.com`; nothing if it is not a link of the web."""
    try:
        parts = urlsplit(url)
        name = parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return ""
    return (name or "").removeprefix("www.")


def direction(text: str, lang: str = "") -> str:
    """`rtl` or `ltr`: how most of the letters are written, whatever the language is said to be."""
    text = text[:2000]
    right = len(_TURNING.findall(text))
    left = sum(map(str.isalpha, text)) - right
    if right <= 0 and left <= 0:
        return "rtl" if lang.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"
    return "rtl" if right > left else "ltr"


def is_han(text: str) -> bool:
    """Whether a good part of it is written in Chinese characters or kana, which want more air between lines."""
    letters = [char for char in text[:400] if char.isalpha()]
    return sum("\u3040" <= char <= "\u9fff" for char in letters) * 3 > len(letters)


def isolated(text: str) -> str:
    """Text that may stand in a line of ours without turning its direction."""
    return f"{_ISOLATE}{text}{_END}" if _TURNING.search(text) else text


@lru_cache(maxsize=64)
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name, sep="-" if "-" in name else "_")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
