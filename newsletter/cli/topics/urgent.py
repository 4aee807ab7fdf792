"""The command that marks topics urgent: their alerts would rather arrive twice than not at all."""

from typing import Annotated

import typer

from newsletter.cli.output import Json, example, fail, result
from newsletter.cli.service.migrations import ready
from newsletter.models import Topic

app = typer.Typer()


@app.command(epilog=example("topics urgent Uyghur", "topics urgent Uyghur --off"))
def urgent(
    name: Annotated[str, typer.Argument(help="The topic's name.")],
    off: Annotated[bool, typer.Option("--off", help="An ordinary topic again.")] = False,
    json: Json = False,
) -> None:
    """Mark a topic urgent: an alert that stays in doubt for two hours is sent once more by itself. Others wait for you."""
    ready()
    if not Topic.objects.filter(kind=Topic.Kind.CURATED, name__iexact=name).update(urgent=not off):
        fail(f"there is no topic {name!r}: see 'newsletter topics list'")
    words = "an ordinary topic" if off else "urgent: alerts in doubt go once more after two hours"
    result({"topic": name, "urgent": not off}, json, f"{name} is {words}")
