"""Serve the sample feeds until Ctrl-C, and say how to add one."""

from newsletter.cli.command_name import command_name
from newsletter.cli.demo.sample_site import SampleSite
from newsletter.cli.output import fail, note
from newsletter.cli.service.signals import until_signal


def serve(port: int) -> None:
    """Serve the sample feeds at 127.0.0.1:`port` until a signal."""
    try:
        site = SampleSite(("127.0.0.1", port))
    except OSError as error:
        fail(f"cannot listen on 127.0.0.1:{port} ({(error.strerror or '').lower()}): choose another --port")
    url = site.url("briefs")
    with until_signal() as stopped:
        site.start()
        note(f"sample feed: {url}  (Ctrl-C ends it)")
        note(
            "Feeds on this machine are refused unless you allow them. Type this in another terminal, in the same folder:"
        )
        note(f"  export NEWSLETTER_FEED_ALLOW=127.0.0.1:{port}")
        note(f"  {command_name()} feeds add {url} --announce latest")
        stopped.wait()
    site.stop()
