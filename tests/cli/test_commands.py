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
from tests.services import free_port

ROOT = Path(__file__).parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path, httpserver: HTTPServer) -> Command:
    """Runs a command on a data directory that nothing ran on before."""
    return commands(tmp_path / "data", tmp_path, httpserver)


@pytest.fixture(scope="module")
def data_for_refusals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by commands that change nothing: to make one takes longer than most of them."""
    return tmp_path_factory.mktemp("refusals") / "data"


@pytest.fixture
def refused_command(data_for_refusals: Path, tmp_path: Path, httpserver: HTTPServer) -> Command:
    """Runs a command that is refused, and so leaves the data directory as it was."""
    return commands(data_for_refusals, tmp_path, httpserver)


def commands(data: Path, current: Path, httpserver: HTTPServer) -> Command:
    site = urlsplit(httpserver.url_for("/"))
    base = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}

    def run(*words: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **base,
            "PYTHONPATH": str(ROOT),
            "NEWSLETTER_DATA_DIR": str(data),
            "NEWSLETTER_FEED_ALLOW": f"{site.hostname}:{site.port}",
            **{f"NEWSLETTER_{name}": value for name, value in settings.items()},
        }
        return subprocess.run(
            [sys.executable, "-m", "newsletter", *words],
            env=environment,
            cwd=current,
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
    assert command("topics", "add", "Uyghur", "--query", "Uyghur OR Uighur OR 维吾尔").returncode == 0
    assert command("topics", "add", "Huawei", "--pack", "companies:huawei").returncode == 0
    assert command("feeds", "add", url, "--announce", "all").returncode == 0
    added = command(
        "subscribers", "add", "-", "--topic", "uyghur", "--topic", "Huawei", "--confirmed", stdin="canary@example.org\n"
    )
    assert added.returncode == 0
    done = json.loads(command("once", "--json").stdout)
    assert (done["accepted"], done["new"], done["unknown"]) == (1, 4, 0)
    (mail,) = (tmp_path / "data" / "outbox").glob("*.eml")
    assert all(title in mail.read_text() for title in ("Cameras", "guests", "A cable"))
    assert json.loads(command("once", "--json").stdout)["accepted"] == 0
    reference = json.loads(command("deliveries", "list", "--json").stdout)[0]["reference"]
    told = command("deliveries", "explain", reference).stdout
    assert "accepted" in told
    [mailing] = json.loads(command("deliveries", "sums", "--json").stdout)
    assert (mailing["planned"], mailing["by_state"], mailing["under_way"]) == (1, {"accepted": 1}, 0)
    assert mailing["closed_at"]
    assert "under way" not in command("deliveries", "sums").stdout
    matched = json.loads(command("match", "--query", "cable", "--json").stdout)
    assert [hit["text"] for hit in matched[0]["hits"]][:1] == ["cable"]
    everything = "".join(
        command(*words).stdout for words in (("status",), ("doctor",), ("feeds", "list"), ("topics", "list"))
    )
    assert "canary" not in everything + told + added.stdout + added.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("feeds", "add", "http://127.0.0.1:1/feed"), 1, "NEWSLETTER_FEED_ALLOW"),
        (("topics", "add", "Bad", "--query", "(a OR"), 1, "column"),
        (("topics", "add", "Bad"), 2, "--query or --pack"),
        (("topics", "show", "Nothing"), 1, "newsletter topics list"),
        (("subscribers", "add", "not-an-address", "--query", "x"), 1, "@"),
        (("subscribers", "add", "canary@example.org", "--topic", "Nothing"), 1, "newsletter topics list"),
        (("subscribers", "add", "canary@example.org"), 2, "--topic or --query"),
        (("subscribers", "add", "canary@example.org", "--query", "-x"), 1, "add a word"),
        (("subscribers", "add", "canary@example.org", "--query", "x", "--timezone", "Moon/Base"), 2, "--timezone"),
        (("subscribers", "add", "canary@example.org", "--query", "x", "--timezone", "localtime"), 2, "--timezone"),
        (("subscribers", "add", "canary@example.org", "--query", "x", "--locale", "xx"), 2, "--locale"),
        (("deliveries", "explain", "0000"), 1, "reference"),
        (("feeds", "show", "99"), 1, "newsletter feeds list"),
        (("nonsense",), 2, "See 'newsletter --help'"),
        (("feeds", "lst"), 2, "Did you mean 'list'? See 'newsletter feeds --help'"),
        (
            ("topics", "add", "Cable", "submarine cable"),
            2,
            "takes only NAME; anything else goes after an option (--query,",
        ),
        (("feeds", "pause", "1", "canary"), 2, "takes only ID|URL. Put quotes around words with spaces."),
        (("status", "canary"), 2, "takes no arguments"),
        (("feeds", "add"), 2, "'url'"),
        (("once", "--frobnicate"), 2, "--frobnicate"),
    ],
)
def test_what_goes_wrong_is_one_line_that_says_what_to_do(
    refused_command: Command, words: tuple[str, ...], code: int, says: str
) -> None:
    done = refused_command(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert says in done.stderr
    assert "canary" not in done.stderr


def test_keywords_and_the_address_are_read_from_standard_input(command: Command) -> None:
    both = command(
        *("subscribers", "add", "-", "--query", "-", "--query", "glacier", "--confirmed"),
        stdin="canary@example.org\nsubmarine cable\n\n  Zzyzx \n",
    )
    assert (both.returncode, both.stderr) == (0, "") and "follows 3" in both.stdout
    assert "canary" not in both.stdout and "cable" not in both.stdout
    keywords = command(*("subscribers", "add", "other@example.org", "--query", "-", "--confirmed"), stdin="one\ntwo\n")
    assert "follows 2" in keywords.stdout
    shown = command("subscribers", "show", "-", stdin="canary@example.org\n").stdout
    assert shown.count("a keyword of their own") == 3
    for given, code in (("", 2), ("\n \n", 2), ("(a OR\n", 1)):
        refused = command("subscribers", "add", "third@example.org", "--query", "-", "--confirmed", stdin=given)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (code, "", 1)
        assert "keyword" in refused.stderr


def test_a_web_page_instead_of_a_feed_stores_nothing(refused_command: Command, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/page").respond_with_data(
        "<!doctype html><title>x</title>Hello", content_type="text/html"
    )
    done = refused_command("feeds", "add", httpserver.url_for("/page"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert json.loads(refused_command("feeds", "list", "--json").stdout) == []


def test_settings_that_cannot_be_are_one_line(refused_command: Command, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for settings, says in (
        ({"GATHER": "soon"}, "NEWSLETTER_GATHER"),
        ({"NONSENSE": "1"}, "NEWSLETTER_NONSENSE"),
        ({"DATA_DIR": str(blocked)}, "NEWSLETTER_DATA_DIR"),
        ({"DATABASE_URL": "mysql://x"}, "NEWSLETTER_DATABASE_URL"),
    ):
        done = refused_command("status", **settings)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1, done.stderr
        assert says in done.stderr


def test_a_port_in_use_is_one_line(refused_command: Command, httpserver: HTTPServer) -> None:
    site = urlsplit(httpserver.url_for("/"))
    done = refused_command("run", BIND=f"127.0.0.1:{site.port}")
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
