"""Which month or weekday a word names, in the languages of the web."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cache, lru_cache

from newsletter.feeds.dates.calendar_names import MONTHS, WEEKDAYS

#: Forms beside those of the CLDR, January first; `-` where there is none.
_MORE_MONTHS = {
    "en": "- - - - - - - - sept - - -",
    "de": "janner/jan feb marz/mrz - - - - - sept - - dez",
    "fr": "- fev - - - - jul aout/aou sep - - -",
    "es": "- - - - - - - - set/setiembre - - -",
    "nl": "- - mrt - - - - - - - - -",
    "id": "- peb/pebruari - - - - - agt/ags - - nop/nopember -",
    "pl": "- - - - - - - - wrzes pazdz - -",
    "ru": "- - - - - - - - сент - нояб -",
    "ar": "- - - أبريل/ابريل - - - أغسطس/اغسطس - أكتوبر/اكتوبر - -",
    "ug": "- - - - - - - - - - - دېكابىر/دېكابر",
}
#: A beginning of this length or longer is enough where it belongs to one month only ("septem"); and so long a name with
#: up to so many letters more is a case of it ("azaroa-ren").
_BEGINNING, _STEM, _ENDING = 4, 5, 4
_Table = Mapping[str, Mapping[int, frozenset[str]]]


def fold(word: str) -> str:
    """A name as it is compared: without case, Latin, Greek and Cyrillic accents, and the full stop of an abbreviation."""
    if word.isascii():
        return word.lower().strip().strip(".")
    plain = word.casefold().replace("ı", "i").replace("\u200e", "").replace("\u200f", "").replace("’", "'")
    apart = unicodedata.normalize("NFKD", plain.strip().strip("."))
    return unicodedata.normalize("NFC", "".join(char for char in apart if not "\u0300" <= char < "\u0370"))


def months_named(word: str, language: str = "") -> frozenset[int]:
    """The months (1 to 12) that `word` names; several where languages differ and `language` does not decide.

    "listopada" is November in Polish and October in Croatian.
    """
    name = fold(word)
    months = _months().get(name) or _months().get(name.removeprefix("ב")) or {}
    if len(months) > 1:
        base = language.replace("_", "-").lower().partition("-")[0]
        for wanted in (base, "en"):
            own = frozenset(month for month, languages in months.items() if wanted in languages)
            if wanted and own:
                return own
    return frozenset(months) or _months_by_stem(name)


@lru_cache(maxsize=1000)
def _months_by_stem(name: str) -> frozenset[int]:
    if not _BEGINNING <= len(name) <= 30:
        return frozenset()
    longer = {month for known, months in _months().items() if known.startswith(name) for month in months}
    stems = (name[:length] for length in range(max(_STEM, len(name) - _ENDING), len(name)))
    return frozenset(longer or {month for stem in stems for month in _months().get(stem, ())})


def weekday_named(word: str) -> int | None:
    """The weekday (Monday is 0) that `word` names in any language, if it names one only."""
    weekdays = _weekdays().get(fold(word), {})
    return next(iter(weekdays)) if len(weekdays) == 1 else None


def in_one_word(folded: str) -> str:
    """`folded` with each month's name of several words, or with full stops inside, in English."""
    return _several_words().sub(lambda hit: f" {_english(*months_named(hit[0]))} ", folded)


def _english(month: int) -> str:
    return MONTHS["en"].split()[month - 1].partition("/")[0]


@cache
def _several_words() -> re.Pattern[str]:
    names = sorted((name for name in _months() if re.search(r"[\s.]", name)), key=len, reverse=True)
    return re.compile(rf"(?<![^\W\d])(?:{'|'.join(map(re.escape, names))})(?!\w)")


@cache
def _months() -> _Table:
    return _table(MONTHS, _MORE_MONTHS, first=1)


@cache
def _weekdays() -> _Table:
    return _table(WEEKDAYS, {}, first=0)


def _table(*sources: Mapping[str, str], first: int) -> _Table:
    table: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for source in sources:
        for languages, row in source.items():
            for number, forms in enumerate(row.split(), first):
                for form in forms.split("/"):
                    if form != "-":
                        known = table[fold(form.replace("_", " "))][number]
                        known.update(language.partition("_")[0] for language in languages.split())
    return {name: {number: frozenset(langs) for number, langs in numbers.items()} for name, numbers in table.items()}
