"""Commands that go on until they are stopped: run, web, demo."""

from typing import Annotated

import typer

from newsletter.cli.output import example
from newsletter.cli.service.migrations import ready

app = typer.Typer()


@app.command(epilog=example("run"))
def run() -> None:
    """Start the whole service in one process: web pages, worker and beat. Ctrl-C ends it."""
    from newsletter.cli.service.embedded_service import Service

    ready()
    Service().run()


@app.command(epilog=example("web"))
def web() -> None:
    """Start the web pages only; workers and beat run beside it."""
    from newsletter.cli.service.embedded_service import Web

    ready()
    Web().run_alone()


@app.command(epilog=example("demo", "demo --seconds 20"))
def demo(
    seconds: Annotated[int, typer.Option(min=0, help="End after so many seconds; 0: until Ctrl-C.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Go on with the data of the last demo.")] = False,
) -> None:
    """Show the whole service with sample feeds, topics and subscribers, in a data directory of its own."""
    from newsletter.cli.demo.run import play

    ready()
    play(seconds=seconds, fresh=not keep)
