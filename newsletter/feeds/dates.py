"""Finds the dates in a source line, in the orders and languages that digests use."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

_MONTHS: dict[str, int] = {}
for _names in (
    # one row per language, or per form of its names; a name of several words has underscores
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jänner feb mrz apr mai jun jul aug sep okt nov dez",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv févr mars avr mai juin juil août sept oct nov déc",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "كانون_الثاني شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين_الأول تشرين_الثاني كانون_الأول",
    "يانۋار فېۋرال مارت ئاپرېل ماي ئىيۇن ئىيۇل ئاۋغۇست سېنتەبىر ئۆكتەبىر نويابىر دېكابىر",
):
    _MONTHS.update({name.replace("_", " "): number for number, name in enumerate(_names.split(), 1)})
_MONTHS["sept"] = 9

_MONTH = "(?P<month>" + "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True)) + r")\.?"
_DAY = r"(?P<day>[0-3]?\d)"
_YEAR = r"(?P<year>(?:19|20)\d\d)(?!\d)"
_YEAR_WORD = r"(?:\s*(?:года|г\.|р\.|року))?"
_ORDINAL = r"(?:st|nd|rd|th|er|º|\.)?"
_HAN = "〇一二三四五六七八九"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\w){_MONTH}\s*{_DAY}(?:st|nd|rd|th)?\s*,?\s+{_YEAR}",  # November 5, 2020
        # 5 November 2020, 5. November 2020, 1er août 2020, 5 de noviembre de 2020, 5 ноября 2020 г., 05-Nov-2020
        rf"(?<!\d){_DAY}{_ORDINAL}[\s-]+(?:of\s+|de\s+)?{_MONTH},?[\s-]+(?:de\s+)?{_YEAR}{_YEAR_WORD}",
        rf"(?<!\d){_YEAR}-يىلى?\s+{_DAY}-{_MONTH}",  # Uyghur, both orders
        rf"(?<!\d){_YEAR}-يىلى?\s+{_MONTH}نىڭ\s+{_DAY}-كۈنى",
        rf"(?<!\d){_YEAR}\s*[年년]\s*(?P<number>1?\d)\s*[月월]\s*{_DAY}\s*[日号號일]",
        rf"(?P<han_year>[零{_HAN}]{{4}})年(?P<han_month>[{_HAN}十]{{1,2}})月(?P<han_day>[{_HAN}十]{{1,3}})[日号號]",
        rf"(?<!\d){_YEAR}(?P<between>[-/.])(?P<number>[01]?\d)(?P=between){_DAY}(?!\d)",  # 2020-11-05
        rf"(?<!\d){_DAY}\.(?P<number>[01]?\d)\.{_YEAR}{_YEAR_WORD}",  # 05.11.2020
        rf"(?<!\d)(?P<one>[0-3]?\d)/(?P<two>[0-3]?\d)/{_YEAR}",  # 11/25/2020
    )
)
_WEEKDAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|tue|wed|thu|fri|sat|sun)\.?"
    r"|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag"
    r"|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo"
    r"|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|星期[一二三四五六日天])"
)
#: What may stand before a date and say nothing more, and the time of day behind it.
_BEFORE = re.compile(
    rf"(?<!\w)(?:(?:published|posted|dated|updated|veröffentlicht|publié|опубликовано|发布于|發佈於)\s*[:：]?\s*)?"
    rf"(?:on\s+|am\s+|vom\s+|le\s+|el\s+|del\s+|от\s+)?(?:{_WEEKDAY}\s*[,،，]?\s*)?$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*[,،，T]?\s*(?:at\s+|um\s+|à\s+|в\s+)?[0-2]?\d[:：h][0-5]\d(?:[:：][0-5]\d)?"
    r"(?:\s*[ap]\.?m\.?(?!\w))?(?:\s*(?:Uhr|UTC|GMT|CET|E[SD]T|Z)\b)?",
    re.IGNORECASE,
)
_ACCESSED = re.compile(
    r"(?:accessed|retrieved|last\s+visited|viewed|abgerufen|consulté|consultado|дата\s+обращения|访问(?:日期|于)?|檢索於)"
    r"\s*[:：]?\s*(?:on\s+|am\s+|le\s+|el\s+)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """A date and where it stands, with weekday and time of day.

    `day` is None where day and month cannot be told apart: none is better than a wrong one. `accessed`: it says when somebody
    looked at the source, not when that was published.
    """

    day: date | None
    start: int
    end: int
    accessed: bool = False


def find_all(text: str) -> tuple[Found, ...]:
    """The dates in `text`, in order."""
    plain = "".join(_digit(char) for char in text)
    hits = sorted(
        (hit for pattern in _PATTERNS for hit in pattern.finditer(plain)), key=lambda hit: (hit.start(), -hit.end())
    )
    found: list[Found] = []
    for hit in hits:
        if found and hit.start() < found[-1].end:
            continue
        try:
            day = _day(hit)
        except ValueError:  # the 31st of February is part of a name, not a date
            continue
        found.append(_widened(plain, hit, day))
    return tuple(found)


def _widened(text: str, hit: re.Match[str], day: date | None) -> Found:
    begin = max(0, hit.start() - 60)
    accessed = _ACCESSED.search(text, begin, hit.start())
    before = accessed or _BEFORE.search(text, begin, hit.start())
    after = _AFTER.match(text, hit.end())
    return Found(
        day,
        before.start() if before and day else hit.start(),
        after.end() if after and day else hit.end(),
        accessed is not None,
    )


def _digit(char: str) -> str:
    """Arabic, Persian and full-width digits as ASCII."""
    value = unicodedata.decimal(char, None) if not char.isascii() else None
    return char if value is None else str(value)


def _day(hit: re.Match[str]) -> date | None:
    parts = hit.groupdict()
    if parts.get("han_year"):
        year = int("".join(str(_HAN.replace("〇", "零").index(char)) for char in parts["han_year"].replace("〇", "零")))
        return date(year, _han(parts["han_month"]), _han(parts["han_day"]))
    year = int(parts["year"])
    if parts.get("one"):
        one, two = int(parts["one"]), int(parts["two"])
        if one <= 12 and two <= 12 and one != two:
            return None
        return date(year, *((two, one) if one > 12 else (one, two)))
    month = _MONTHS[parts["month"].lower()] if parts.get("month") else int(parts["number"])
    return date(year, month, int(parts["day"]))


def _han(numeral: str) -> int:
    """A number below a hundred in Chinese numerals: 五, 十一, 二十, 三十一."""
    tens, ten, ones = numeral.rpartition("十")
    return (_HAN.index(tens or "一") * 10 if ten else 0) + (_HAN.index(ones) if ones else 0)
