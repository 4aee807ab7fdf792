"""Commands that import and export feeds as OPML files."""

from enum import StrEnum
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, Target, counted, example, fail, note, progress, read_file, result, write_file
from newsletter.cli.service.migrations import ready
from newsletter.feeds.catalogue import opml_import, probe
from newsletter.lib import db
from newsletter.lib.refused import Refused

app = typer.Typer()


class AnnounceOption(StrEnum):
    """What of a first poll may be mailed."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


@app.command("import", epilog=example("feeds import subscriptions.opml", "feeds import - --check < file.opml"))
def read_in(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An OPML file; - is standard input.")],
    announce: Annotated[
        AnnounceOption, typer.Option(help="What of each first poll may be mailed.")
    ] = AnnounceOption.NONE,
    check: Annotated[
        bool, typer.Option("--check", help="Read each feed first; add only those that can be read.")
    ] = False,
    json: Json = False,
) -> None:
    """Add the feeds of an OPML file. Without --check their first poll shows whether they are feeds."""
    data = read_file(file, opml_import.CAP)
    ready()
    now = db.now()
    fetcher = wiring.fetcher()
    with progress("reading feeds" if check else "adding feeds") as update:
        done = opml_import.import_opml(
            data,
            now=now,
            announce=announce,
            find=(lambda url: probe.find_feed(url, fetcher=fetcher, now=now)) if check else None,
            progress=update,
            actor=actor.from_command(),
        )
    if isinstance(done, Refused):
        fail(f"{file}: {done.reason}")
    for problem in done.problems:
        note(f"{file}, line {problem.line}: {problem.reason}")
    left = f", {counted(len(done.problems), 'problem')}" if done.problems else ""
    summary = f"{counted(len(done.added), 'feed')} added, {done.there} exist already, {done.repeated} repeated in the file{left}"
    result(done, json, summary)
    if not done.added and not done.there and done.problems:
        fail(f"{file}: no feed could be added")


@app.command("export", epilog=example("feeds export feeds.opml"))
def write_out(file: Target = "-", json: Json = False) -> None:
    """Write all feeds as an OPML 2.0 file.

    Your own titles, cuts, filters and pauses are in it.
    """
    ready()
    text = opml_import.export_opml(now=db.now())
    write_file(file, text, {"opml": text}, json, "all feeds")
