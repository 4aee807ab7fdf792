"""Commands as a person types them: a process of its own each, a fresh data directory, real feeds on a real server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer
from pytest_httpserver import HTTPServer

from newsletter.cli import app
from tests.journey import road
from tests.journey.deployment import one_after_the_other
from tests.services import free_port

ROOT = Path(__file__).parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path, httpserver: HTTPServer) -> Command:
    """Runs a command, or several in one process, on a data directory that nothing ran on before."""
    site = urlsplit(httpserver.url_for("/"))
    base = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}

    def run(*words: str | tuple[str, ...], stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        several = isinstance(words[0], tuple)
        arguments = ["-c", one_after_the_other(*words)] if several else ["-m", "newsletter", *words]
        environment = {
            **base,
            "PYTHONPATH": str(ROOT),
            "NEWSLETTER_DATA_DIR": str(tmp_path / "data"),
            "NEWSLETTER_FEED_ALLOW": f"{site.hostname}:{site.port}",
            **{f"NEWSLETTER_{name}": value for name, value in settings.items()},
        }
        return subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_from_nothing_to_mails_and_a_second_time_to_none(
    command: Command, httpserver: HTTPServer, tmp_path: Path
) -> None:
    url = road.serve(httpserver, road.posts())
    prepared = command(
        ("topics", "add", "Uyghur", "--query", "Uyghur OR Uighur OR 维吾尔"),
        ("topics", "add", "Huawei", "--pack", "companies:huawei"),
        ("feeds", "add", url, "--announce", "all"),
    )
    assert prepared.returncode == 0, prepared.stderr
    added = command(
        "subscribers", "add", "-", "--topic", "uyghur", "--topic", "Huawei", "--confirmed", stdin="canary@example.org\n"
    )
    assert added.returncode == 0
    done = json.loads(command("once", "--json").stdout)
    assert (done["accepted"], done["new"], done["unknown"]) == (1, 4, 0)
    (mail,) = (tmp_path / "data" / "outbox").glob("*.eml")
    assert all(title in mail.read_text() for title in ("Cameras", "guests", "A cable"))
    assert json.loads(command("once", "--json").stdout)["accepted"] == 0
    looked = command(
        ("deliveries", "list", "--json"),
        ("deliveries", "sums", "--json"),
        ("deliveries", "sums"),
        ("match", "--query", "cable", "--json"),
        *(("status",), ("feeds", "list"), ("topics", "list"), ("doctor",)),
    )
    deliveries, sums, sums_in_words, matched, *_ = looked.stdout.split("\f")
    explained = command("deliveries", "explain", json.loads(deliveries)[0]["reference"]).stdout
    assert "accepted" in explained
    [mailing] = json.loads(sums)
    assert (mailing["planned"], mailing["by_state"], mailing["under_way"]) == (1, {"accepted": 1}, 0)
    assert mailing["closed_at"]
    assert "under way" not in sums_in_words
    assert [hit["text"] for hit in json.loads(matched)[0]["hits"]][:1] == ["cable"]
    assert looked.returncode == 0, looked.stderr
    assert "canary" not in looked.stdout + explained + added.stdout + added.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("topics", "show", "Nothing"), 1, "newsletter topics list"),
        (("feeds", "lst"), 2, "Did you mean 'list'? See 'newsletter feeds --help'"),
    ],
)
def test_what_goes_wrong_is_one_line_and_an_exit_code(
    command: Command, words: tuple[str, ...], code: int, says: str
) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert says in done.stderr


def test_settings_that_cannot_be_are_one_line(command: Command, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for settings, says in (
        ({"GATHER": "soon"}, "NEWSLETTER_GATHER"),
        ({"NONSENSE": "1"}, "NEWSLETTER_NONSENSE"),
        ({"DATA_DIR": str(blocked)}, "NEWSLETTER_DATA_DIR"),
        ({"DATABASE_URL": "mysql://x"}, "NEWSLETTER_DATABASE_URL"),
    ):
        done = command("status", **settings)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1, done.stderr
        assert says in done.stderr


def test_a_port_in_use_is_one_line(command: Command, httpserver: HTTPServer) -> None:
    site = urlsplit(httpserver.url_for("/"))
    done = command("run", BIND=f"127.0.0.1:{site.port}")
    assert done.returncode == 1
    assert "NEWSLETTER_BIND" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_keys_that_do_not_open_the_data_stop_every_start(command: Command, tmp_path: Path) -> None:
    assert command("migrate").returncode == 0
    (tmp_path / "data" / "keys").unlink()
    lost = command("status")
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert "keys" in lost.stderr


def test_the_demo_writes_mail_and_says_when_it_has_finished(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")},
        "PYTHONPATH": str(ROOT),
        "NEWSLETTER_DATA_DIR": str(tmp_path),
        "NEWSLETTER_BIND": f"127.0.0.1:{port}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "demo", "--seconds", "180"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if "Start your own" in line:
            process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0, lines
    told = "".join(lines)
    assert "demo: finished" in told and f"http://127.0.0.1:{port}/outbox/\n" in told, told
    assert "Traceback" not in told and "example.org" not in told
    mails = list((tmp_path / "demo" / "outbox").glob("*.eml"))
    assert len(mails) >= 4
    assert any("Your daily digest" in mail.read_text() for mail in mails)
    assert all(mail.name in told for mail in mails)


def test_the_sample_feed_can_be_added_as_it_says(command: Command) -> None:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "sample-feed", "--port", str(port)],
        env=environment | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        lines = [process.stderr.readline().strip() for _ in range(4)]
        allow = lines[2].removeprefix("export NEWSLETTER_")
        words = lines[3].removeprefix("newsletter ").split()
        refused = command(*words)
        assert refused.returncode == 1 and f"set NEWSLETTER_{allow}" in refused.stderr
        added = command(*words, **dict([allow.split("=")]))
        assert (added.returncode, added.stderr) == (0, "") and "16 entries" in added.stdout
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_every_command_has_an_example() -> None:
    root = typer.main.get_command(app)
    commands = [*root.commands.values()]  # type: ignore[attr-defined]
    leaves = [leaf for one in commands for leaf in (one.commands.values() if hasattr(one, "commands") else [one])]
    assert len(leaves) > 25
    assert [leaf.name for leaf in leaves if "newsletter " not in (leaf.epilog or "")] == []
