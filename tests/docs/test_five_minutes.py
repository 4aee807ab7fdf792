"""The README's first five minutes can be pasted, and end with a mail to look at."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.services import free_port

ROOT = Path(__file__).parents[2]


def typed() -> str:
    """What a newcomer pastes."""
    section = (ROOT / "README.md").read_text().partition("## The first five minutes\n")[2].partition("\n## ")[0]
    return "".join(section.split("```\n")[1::2])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a ./run.sh that starts this checkout in this environment, without setting one up."""
    script = tmp_path / "run.sh"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m newsletter "${{@:-run}}"\n')
    script.chmod(0o755)
    return tmp_path


def wait_for_page(address: str, shell: subprocess.Popen[str]) -> str:
    """The page, as soon as the service answers; nothing if the shell has ended before."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and shell.poll() is None:
        with suppress(OSError), urllib.request.urlopen(address) as answer:  # noqa: S310 - our own page
            return str(answer.read().decode())
        time.sleep(0.2)
    return ""


def test_the_first_five_minutes_work_as_they_stand_in_the_readme(place: Path) -> None:
    feed, pages = free_port(), free_port()
    commands = typed().replace("8001", str(feed)).replace("sample-feed &", f"sample-feed --port {feed} &")
    assert re.findall(r"^\./run\.sh ?([a-z-]*)", commands, re.MULTILINE)[-1] == "", "it ends with the service"
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "NEWSLETTER_DATA_DIR": str(place / "data"),
        "NEWSLETTER_BIND": f"127.0.0.1:{pages}",
    }
    with (place / "log").open("w+") as log:
        shell = subprocess.Popen(
            ["/bin/sh", "-e", "-c", commands],
            cwd=place,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            assert shell.stdin is not None
            shell.stdin.write("reader@example.org\n")
            shell.stdin.close()
            outbox = wait_for_page(f"http://127.0.0.1:{pages}/outbox/", shell)
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
        log.seek(0)
        said = log.read()
    assert outbox.count(".eml") == 1, said
    assert "reader@example.org" in outbox and "Traceback" not in said
