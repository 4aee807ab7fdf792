"""The command that shows the audit log."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

import typer

from newsletter.audit import words
from newsletter.audit.search import AuditFilter, find_rows
from newsletter.cli.output import Json, example, misuse, result, table
from newsletter.cli.service.migrations import ready
from newsletter.models import AuditEntry

app = typer.Typer()


@dataclass(frozen=True)
class AuditRow:
    """A row as the command prints it."""

    id: int
    at: datetime
    kind: str
    actor: str
    action: str
    thing: str
    before: dict[str, object]
    after: dict[str, object]
    reason: str


@app.command("list", epilog=example("audit list", "audit list --actor maria", "audit list --thing topic:7 --json"))
def list_rows(
    actor: Annotated[str, typer.Option(metavar="NAME", help="Only what this admin, token, user or rule did.")] = "",
    thing: Annotated[
        str, typer.Option(metavar="KIND[:ID]|NAME", help="Only this: 'topic', 'topic:7', or a part of a name.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    json: Json = False,
) -> None:
    """Show who changed what, newest first."""
    ready()
    rows = list(find_rows(_filter(actor, thing), for_owner=True).order_by("-id")[:limit])
    if json:
        result([asdict(_row(row)) for row in rows], json)
        return
    columns = {
        "When": lambda row: row.at,
        "Who": lambda row: f"{row.actor} ({row.actor_kind})",
        "What": lambda row: f"{words.done(row)} {words.thing(row)}",
        "Change": _change,
        "Reason": lambda row: row.reason,
    }
    table(rows, json, columns, empty="Nothing was changed yet.")


def _filter(actor: str, thing: str) -> AuditFilter:
    kind, _, number = thing.partition(":")
    kinds = set(AuditEntry.objects.order_by().values_list("object_kind", flat=True).distinct()) if thing else set()
    if kind not in kinds:
        return AuditFilter(actor=actor, name=thing)
    if number and not (number.isascii() and number.isdigit()):
        misuse("--thing is a kind and a number, for example topic:7")
    return AuditFilter(actor=actor, kind=kind, number=int(number) if number else None)


def _change(row: AuditEntry) -> str:
    return "; ".join(
        f"{each.name}: {' → '.join(part for part in (each.before, each.after) if part)}" for each in words.changes(row)
    )


def _row(row: AuditEntry) -> AuditRow:
    return AuditRow(
        row.id,
        row.at,
        row.actor_kind,
        row.actor,
        row.action,
        words.thing(row),
        row.before,
        row.after,
        row.reason,
    )
