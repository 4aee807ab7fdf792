"""A problem as a terminal shows it: its sentence, and what to do."""

from datetime import datetime

from newsletter.cli.output import when
from newsletter.status.problem import Problem, ProblemKind

#: What somebody stopped stands out among the lines.
_LOUD = (ProblemKind.SENDING_PAUSED, ProblemKind.PROVIDER_PAUSED)


def sentence(problem: Problem) -> str:
    """The problem and what to do about it, in one line."""
    words = problem.worded(lambda moment: _moment(problem.kind, moment))
    if problem.kind in _LOUD:
        words = words.replace(" is paused ", " is PAUSED ", 1)
    return f"{words}: {problem.advice}" if problem.advice else words


def _moment(kind: ProblemKind, moment: datetime) -> str:
    """To the second for what is over in a minute, without the date for what is over in an hour."""
    if kind is ProblemKind.HELD_UP:
        return f"{moment:%H:%M:%S} UTC"
    if kind is ProblemKind.PROVIDER_LEFT_ALONE:
        return f"{moment:%H:%M} UTC"
    return f"{when(moment)} UTC"
