"""Commands that go on until they are stopped: run, web."""

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
