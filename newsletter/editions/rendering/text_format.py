"""Text for a reader: headlines, dates, hosts, writing directions, subjects. `language` is the locale of a look."""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from newsletter.editions.rendering.values import Dateline, ItemContent
from newsletter.lib.i18n import mark, translations
from newsletter.lib.shorten import shorten

#: Heading of each mail, by cadence. It names neither a topic nor a headline.
_HEADINGS = {
    "immediate": mark("Your update"),
    "daily": mark("Your daily digest"),
    "weekly": mark("Your weekly digest"),
}
_MESSAGE = mark("A message from %(organisation)s, %(date)s")
LONGEST_SUBJECT = 120
#: Directional formatting characters (UAX #9): in a line of ours they could reorder our words as well.
_BIDI_CONTROLS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
#: Blocks that Unicode reserves for right-to-left scripts: Hebrew, Arabic, Syriac, Thaana, N'Ko and others.
_RTL_LETTERS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]")
#: Languages written from right to left, for texts without letters that show the direction.
_RTL_LANGUAGES = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
)
#: English that is of no country has the day before the month, as all our texts.
_ENGLISH = Locale.parse("en_GB")
_ISOLATE, _END = "\u2068", "\u2069"


def one_line(text: str) -> str:
    """Text on one line, without control and directional formatting characters."""
    return " ".join(
        "".join(" " if char < " " or "\x7f" <= char < "\xa0" else char for char in _BIDI_CONTROLS.sub("", text)).split()
    )


def headline(item: ItemContent, language: str) -> str:
    """The title as it is shown: never empty."""
    words = one_line(item.title) or shorten(one_line(item.text), 80)
    return words or translations(language).gettext("Without a title")


def heading(cadence: str, language: str) -> str:
    """What kind of mail it is, such as `Your daily digest`.

    Raises:
        KeyError: there is no such cadence.
    """
    return translations(language).gettext(_HEADINGS[cadence])


def dated(dateline: Dateline, language: str) -> str:
    """`29 November 2026`; of an alert `29 November 2026, 14:05 UTC`."""
    day = long_date(dateline.day, language)
    if dateline.time is None:
        return day
    return translations(language).gettext("%(date)s, %(time)s UTC") % {"date": day, "time": f"{dateline.time:%H:%M}"}


def neutral_subject(dateline: Dateline, language: str) -> str:
    """Heading and date: mail programs put mails with the same subject into one conversation."""
    words = {"heading": heading(dateline.cadence, language), "date": dated(dateline, language)}
    return translations(language).gettext("%(heading)s, %(date)s") % words


def message_subject(organisation: str, day: date, language: str) -> str:
    """`A message from NAME, 29 November 2026`: for people whose subjects say nothing of the content."""
    words = {"organisation": organisation, "date": long_date(day, language)}
    return translations(language).gettext(_MESSAGE) % words


def headline_subject(titles: Sequence[str], language: str) -> str:
    """The first headline, with the number of others."""
    others = len(titles) - 1
    if not others:
        return isolated(shorten(titles[0], LONGEST_SUBJECT))
    # in brackets: "A village gets its own mast and 2 more" would read as three masts
    message = translations(language).ngettext(
        "%(headline)s (and %(count)s more article)", "%(headline)s (and %(count)s more articles)", others
    )
    room = LONGEST_SUBJECT - len(message % {"headline": "", "count": others})
    return message % {"headline": isolated(shorten(titles[0], room)), "count": others}


def articles(count: int, language: str) -> str:
    """`1 article`, `3 articles`."""
    return translations(language).ngettext("%(count)s article", "%(count)s articles", count) % {"count": count}


def articles_from(count: int, organisation: str, language: str) -> str:
    """`3 articles from The Harbour Digest.`"""
    message = translations(language).ngettext(
        "%(count)s article from %(organisation)s.", "%(count)s articles from %(organisation)s.", count
    )
    return message % {"count": count, "organisation": organisation}


def left_over(count: int, cadence: str, language: str) -> str:
    """What a mail says about the articles that did not fit into it."""
    ngettext = translations(language).ngettext
    if cadence == "immediate":
        # it goes out with the reader's daily mail, after what waited longer
        message = ngettext(
            "%(count)s more article did not fit. It comes in your next daily digest.",
            "%(count)s more articles did not fit. They come in your next daily digest.",
            count,
        )
    elif cadence == "daily":
        message = ngettext(
            "%(count)s more article did not fit. It comes first in your next daily digest.",
            "%(count)s more articles did not fit. They come first in your next daily digest.",
            count,
        )
    else:
        message = ngettext(
            "%(count)s more article did not fit. It comes first in your next weekly digest.",
            "%(count)s more articles did not fit. They come first in your next weekly digest.",
            count,
        )
    return message % {"count": count}


@lru_cache(maxsize=1024)  # the same dates come again and again, and the format is parsed each time
def long_date(day: date | None, locale: str) -> str:
    """`5 November 2020`, as the locale writes it; empty if there is no date."""
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
        locale = Locale.parse(name, sep="-" if "-" in name else "_")
    except (UnknownLocaleError, ValueError):
        return _ENGLISH
    return _ENGLISH if str(locale) == "en" else locale
