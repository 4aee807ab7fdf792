"""The command that compares two revisions of a topic."""

from typing import Annotated

import typer

from newsletter.cli.output import Json, example, fail, or_fail, result
from newsletter.cli.service.migrations import ready
from newsletter.cli.topics.commands import Name
from newsletter.matching.topics import revisions
from newsletter.matching.workshop.revision_diff import RevisionDiff, between

app = typer.Typer()


@app.command(epilog=example("topics compare Uyghur 1 3"))
def compare(
    name: Name,
    before: Annotated[int, typer.Argument(metavar="FROM", min=1, help="A revision.")],
    after: Annotated[int, typer.Argument(metavar="TO", min=1, help="Another revision.")],
    json: Json = False,
) -> None:
    """Show what differs between two revisions of a topic."""
    ready()
    rows = {row.n: row for row in or_fail(revisions.history(name))}
    if before not in rows or after not in rows:
        fail("there is no such revision: see 'newsletter topics history NAME'")
    diff = between(rows[before], rows[after])
    result(diff, json, *_lines(diff))


def _lines(diff: RevisionDiff) -> list[str]:
    if diff.empty:
        return ["nothing differs"]
    marks = {"same": "", "added": "+", "removed": "-"}
    parts = [f"[{marks[part.change]}{part.text.strip()}]" if marks[part.change] else part.text for part in diff.query]
    return [
        *([f"query: {' '.join(' '.join(parts).split())}"] if diff.query_changed else []),
        *(f"pack {pack}" for pack in diff.packs),
        *(f"switched off: {word}" for word in diff.switched_off),
        *(f"switched on: {word}" for word in diff.switched_on),
    ]
