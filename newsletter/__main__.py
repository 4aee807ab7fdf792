"""The command `newsletter`: prepares the environment, and only then loads the commands."""

import os
import shutil
import socket
import sys
from collections.abc import MutableMapping
from pathlib import Path


def main() -> None:
    """Run one command. Whatever goes wrong ends in one line: exit 1 when it failed, 2 when it was used wrongly."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has gone: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def run(words: list[str]) -> int:
    """Run the command that `words` name; returns its exit code."""
    if words[:1] == ["demo"] and "--help" not in words:
        demo_environment(os.environ, keep="--keep" in words)
    from newsletter import cli

    return cli.invoke(words)


def demo_environment(environ: MutableMapping[str, str], *, keep: bool) -> None:
    """Settings of the demo: a data directory of its own, mail into files, and its feeds' port let through.

    Has to happen before the settings are read.
    """
    directory = Path(environ.get("NEWSLETTER_DATA_DIR", "data")) / "demo"
    if not keep:
        shutil.rmtree(directory, ignore_errors=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in [name for name in environ if name.startswith("NEWSLETTER_") and name != "NEWSLETTER_BIND"]:
        del environ[name]
    environ.update(
        {
            "NEWSLETTER_DATA_DIR": str(directory),
            "NEWSLETTER_FEED_ALLOW": f"127.0.0.1:{port}",
            "NEWSLETTER_GATHER": "0",
            "NEWSLETTER_ORGANISATION": "The Example Digest",
            "NEWSLETTER_FROM": "The Example Digest <digest@digest.example>",
            "NEWSLETTER_CONTACT": "editor@digest.example",
            "NEWSLETTER_POSTAL_ADDRESS": "1 Example Road, Example Town",
            "NEWSLETTER_LOG_LEVEL": "WARNING",
        }
    )


if __name__ == "__main__":
    main()
