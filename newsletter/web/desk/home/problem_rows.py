"""Problems as Home shows them: a sentence with its moment, and a link to the page on which something can be done."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from markupsafe import Markup, escape

from newsletter.models import Admin
from newsletter.status.problem import Problem, ProblemKind, Severity
from newsletter.web.desk.routed import routed
from newsletter.web.filters import sentence as as_sentence
from newsletter.web.filters import when

#: How grave a problem is → the tone of its sign.
_TONES = {Severity.STOPPED: "bad", Severity.DECIDE: "warn", Severity.LOOK: "quiet", Severity.MISSING: "quiet"}


@dataclass(frozen=True)
class ProblemRow:
    """One line. `sentence` is safe HTML; `url` is empty where nothing is to be done on a page."""

    kind: ProblemKind
    tone: str
    sentence: Markup
    #: None where the sentence says it, or nobody knows.
    since: datetime | None
    url: str
    label: str
    #: What to do where no page of this admin helps.
    todo: str


def problem_rows(problems: Iterable[Problem], admin: Admin) -> list[ProblemRow]:
    """The lines, with those of a sum one by one where they are known, and links to what this admin may open."""
    return [row for problem in problems for row in _rows(problem, admin)]


def _rows(problem: Problem, admin: Admin) -> Iterator[ProblemRow]:
    if problem.parts:
        for part in problem.parts:
            yield from _rows(part, admin)
        if _count(problem) <= len(problem.parts):
            return
    link, sentence = problem.link, problem.worded_as(_safe)
    url = routed(link.route, link.arguments, link.query, admin=admin) if link else ""
    yield ProblemRow(
        problem.kind,
        _TONES[problem.severity],
        Markup(sentence[:1].upper() + sentence[1:] + "."),  # noqa: S704 - escaped part by part
        None if "{since}" in problem.text else problem.since,
        url,
        link.label if link else "",
        _todo(problem, admin, url),
    )


def _todo(problem: Problem, admin: Admin, url: str) -> str:
    if problem.kind is ProblemKind.NOT_RUNNING:
        return as_sentence(problem.advice)
    return _("An owner can look at it.") if problem.link and not url and not admin.is_owner else ""


def _count(problem: Problem) -> int:
    count = problem.values.get("count")
    return count if isinstance(count, int) else 0


def _safe(value: object) -> str:
    """A value as HTML: moments in the admin's zone, numbers grouped, all else escaped."""
    if isinstance(value, datetime):
        return str(when(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(escape(value))
