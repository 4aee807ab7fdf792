"""How the desk writes times and numbers. Times are in the zone that is active: the admin's own, on the desk."""

from datetime import date, datetime

from django.utils import timezone
from markupsafe import Markup

from newsletter.lib.clock import span


def when(moment: datetime | None) -> Markup | str:
    """`<time>` with "Tue 10 Nov, 14:35"; the year stands there unless it is this one. Empty for None."""
    if moment is None:
        return ""
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), short(moment))


def short(moment: datetime) -> str:
    """The same without a tag."""
    local = timezone.localtime(moment)
    year = "" if local.year == timezone.localdate().year else f" {local.year}"
    return f"{short_day(local)}{year}, {local:%H:%M}"


def second(moment: datetime) -> Markup:
    """`<time>` as `when` has it, with seconds: "Tue 10 Nov, 14:35:02"."""
    local = timezone.localtime(moment)
    words = f"{short_day(local)}, {local:%H:%M:%S}"
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), words)


def clock(moment: datetime | None) -> Markup | str:
    """`<time>` with "14:35". Empty for None."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), f"{local:%H:%M}")


def day(of: date | None) -> Markup | str:
    """`<time>` with "Tue 10 Nov 2026". Empty for None."""
    if of is None:
        return ""
    local = timezone.localtime(of).date() if isinstance(of, datetime) else of
    return Markup('<time datetime="{}">{}</time>').format(local.isoformat(), f"{short_day(local)} {local.year}")


def short_day(of: date) -> str:
    """ "Tue 10 Nov": a day of the last weeks, such as the name of a bar."""
    return f"{of:%a} {of.day} {of:%b}"


def number(count: int | None) -> str:
    """3204 → "3,204". Empty for None."""
    return "" if count is None else f"{count:,}"


def percent(share: float | None) -> str:
    """0.0012 → "0.12 %". Empty for None."""
    return "" if share is None else f"{share * 100:.2f} %"


def sentence(reason: str) -> str:
    """A reason or detail as a sentence: a capital letter, unless it begins with a URL, and a full stop."""
    text = reason if reason.startswith(("http:", "https:")) else f"{reason[:1].upper()}{reason[1:]}"
    return text if text.endswith((".", "…", "?")) or not text else f"{text}."


FILTERS = {
    "when": when,
    "second": second,
    "clock": clock,
    "day": day,
    "number": number,
    "percent": percent,
    "span": span,
    "sentence": sentence,
}
