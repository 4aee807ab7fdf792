"""Commands that show the service with sample feeds: demo, sample-feed."""

from typing import Annotated

import typer

from newsletter.cli.output import example

app = typer.Typer()


@app.command(epilog=example("demo", "demo --seconds 60"))
def demo(
    seconds: Annotated[int, typer.Option(min=0, help="Stop after this many seconds; 0: when you press Ctrl-C.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Continue with the data of the last demo.")] = False,
) -> None:
    """Show the service at work with sample feeds, topics and subscribers.

    The demo has a data directory of its own. It sends nothing: mails are files that you read on a page.
    """
    from newsletter.cli.demo.run import play
    from newsletter.cli.service.migrations import ready

    ready()
    play(seconds=seconds, fresh=not keep)


@app.command("sample-feed", epilog=example("sample-feed", "sample-feed --port 8002"))
def sample_feed(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port on 127.0.0.1.")] = 8001,
) -> None:
    """Serve a sample feed on this machine, to try things without the internet."""
    from newsletter.cli.demo.serve_sample_feed import serve

    serve(port)
