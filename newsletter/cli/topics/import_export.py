"""Commands that import and export topics as YAML files."""

from typing import Annotated, Any

import typer

from newsletter.audit import actor
from newsletter.cli.output import (
    Json,
    Target,
    counted,
    example,
    fail,
    note,
    or_fail,
    progress,
    read_file,
    result,
    table,
    write_file,
)
from newsletter.cli.service.migrations import ready
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.topics import import_export, yaml_file
from newsletter.matching.workshop import import_plan

app = typer.Typer()


@app.command(
    "import",
    epilog=example(
        "topics import topics.yaml", "topics import topics.yaml --dry-run", "topics import topics.yaml --yes"
    ),
)
def read_in(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A YAML file; - is standard input.")],
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Change topics that exist and differ, and add topics that bring very many items."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each topic, and do nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Add the topics of a YAML file. Topics that exist and differ are named, and changed only with --yes."""
    data = read_file(file, import_export.MAX_BYTES)
    ready()
    if dry_run:
        plan = or_fail(import_plan.plan_import(data))
        table(plan.topics, json, _PLANNED, empty="The file has no topics.")
        return
    with progress("adding topics") as update:
        done = import_export.import_topics(data, now=db.now(), actor=actor.from_command(), yes=yes, progress=update)
    if isinstance(done, Refused):
        fail(f"{file}: {done.reason}")
    for problem in done.problems:
        note(f"{file}, line {problem.line}: {problem.reason}")
    for different in done.different:
        effect = f"{counted(different.gained, 'item')} gained, {different.lost} lost"
        note(f"{file}, line {different.line}: {different.name} exists and differs ({effect}): --yes changes it")
    result(done, json, _summary(done))
    if done.problems:
        fail(f"{file}: {counted(len(done.problems), 'topic')} could not be added or changed: see above")


@app.command("export", epilog=example("topics export > topics.yaml"))
def write_out(file: Target = "-", json: Json = False) -> None:
    """Write all topics as a YAML file, except retired ones. It never contains keywords of subscribers."""
    ready()
    topics = import_export.export_topics()
    write_file(file, yaml_file.write_topic_file(topics), topics, json, "all topics")


_PLANNED: dict[str, Any] = {
    "Line": lambda row: row.line,
    "Topic": lambda row: row.name or "-",
    "Outcome": lambda row: row.outcome,
    "Why": lambda row: row.why,
}


def _summary(done: import_export.ImportResult) -> str:
    parts = [
        f"{counted(len(done.added), 'topic')} added",
        f"{len(done.changed)} changed",
        f"{done.unchanged} unchanged",
        *([f"{len(done.different)} different, left as they are"] if done.different else []),
        *([counted(len(done.problems), "problem")] if done.problems else []),
    ]
    return ", ".join(parts)
