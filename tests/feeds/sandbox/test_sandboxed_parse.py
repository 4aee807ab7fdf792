"""The killable child: limits, a fork server that may die, threads and forks; and nothing is opened or asked for."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import newsletter.feeds
from newsletter.feeds.parsing.model import Parsed, ParsedFeed, ParseFailed, from_json, to_json
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.feeds.sandbox.fork_server import ForkServer, fork_server
from newsletter.feeds.sandbox.sandboxed_parse import Limits
from tests.feeds.mutations import SAMPLES
from tests.feeds.promises import NOW, URL

FEED = b"<rss version='2.0'><channel><title>T</title><item><title>One</title></item></channel></rss>"
#: feedparser compares each category with all before it.
SLOW = (
    b"<rss version='2.0'><channel><item>"
    + b"".join(b"<category>%d</category>" % number for number in range(20_000))
    + b"<title>t</title></item></channel></rss>"
)
LARGE = (
    b"<rss version='2.0'><channel><x/><item><description>"
    + b"abc &lt;" * 1_200_000
    + b"</description></item></channel></rss>"
)


def parse(body: bytes, limits: Limits = Limits()) -> Parsed:  # noqa: B008
    return sandboxed_parse.parse_in_sandbox(body, url=URL, now=NOW, limits=limits)


@pytest.mark.parametrize("body", SAMPLES)
def test_sandboxed_parse_returns_what_parse_returns(body: bytes) -> None:
    from newsletter.feeds.parsing.parse_feed import parse as here

    assert parse(body) == here(body, url=URL, now=NOW)
    assert from_json(to_json(parse(body))) == parse(body)


@pytest.mark.parametrize(
    ("body", "limits", "words"),
    [
        (SLOW, Limits(cpu=1, wall=600), "more than 1 seconds of work"),
        (SLOW, Limits(wall=0.5), "longer than 0.5 seconds"),
        (LARGE, Limits(memory=100_000_000), "more than 100 MB of memory"),
    ],
)
def test_a_parse_over_its_limits_is_killed_and_the_next_one_works(body: bytes, limits: Limits, words: str) -> None:
    killed = parse(body, limits)
    assert isinstance(killed, ParseFailed)
    assert killed.killed
    assert words in killed.reason
    assert isinstance(parse(FEED), ParsedFeed)


def test_a_fork_server_that_was_killed_is_replaced_and_leaves_no_zombie() -> None:
    parse(FEED)
    before = fork_server().pid
    os.kill(before, signal.SIGKILL)
    assert isinstance(parse(FEED), ParsedFeed)
    assert fork_server().pid != before
    assert not Path(f"/proc/{before}").exists() or sys.platform != "linux"


def test_a_fork_server_that_hangs_is_replaced() -> None:
    made = ForkServer()
    limits = {"wall": 60, "cpu": 60, "memory": 2**30}
    order = json.dumps({"url": URL, "now": NOW.isoformat(), "fingerprints": "", "limits": limits}).encode() + b"\n"
    assert made.ask(order + FEED, seconds=60)
    before = made.pid
    os.kill(before, signal.SIGSTOP)
    assert made.ask(order + FEED, seconds=4)  # also the time that the next one has to start
    assert made.pid != before
    made.close()
    assert made.pid == 0


def test_many_threads_parse_at_once() -> None:
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda n: parse(FEED.replace(b"One", b"No %d" % n)), range(40)))
    assert [one.entries[0].title for one in done if isinstance(one, ParsedFeed)] == [f"No {n}" for n in range(40)]


def test_a_killed_feed_does_not_disturb_those_beside_it() -> None:
    with ThreadPoolExecutor(4) as pool:
        slow = pool.submit(parse, SLOW, Limits(cpu=1))
        assert all(isinstance(one, ParsedFeed) for one in pool.map(parse, [FEED] * 20))
        assert not isinstance(slow.result(), ParsedFeed)


def run(program: str) -> subprocess.CompletedProcess[str]:
    head = "import os, signal, sys, time\nfrom newsletter.feeds.sandbox.sandboxed_parse import parse_in_sandbox\n"
    head += "from newsletter.feeds.sandbox.fork_server import fork_server\n"
    head += f"from datetime import datetime, UTC\nFEED = {FEED!r}\n"
    head += (
        "def parse(): return type(parse_in_sandbox(FEED, url='https://a.example/', now=datetime.now(UTC))).__name__\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "CANARY": "a-secret-value"},
    )


def test_a_forked_process_starts_its_own_fork_server() -> None:
    done = run(
        "parse(); first = fork_server().pid\n"
        "if not os.fork():\n"
        "    print(fork_server().pid, parse(), fork_server().pid not in (0, first), flush=True)\n"
        "    fork_server().close(); os._exit(0)\n"
        "os.wait(); print(parse(), fork_server().pid == first)\n"
    )
    assert done.stdout.split("\n")[:2] == ["0 ParsedFeed True", "ParsedFeed True"], done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_fork_server_has_no_secrets_ends_with_its_parent_and_survives_its_interrupts() -> None:
    done = run(
        "parse(); pid = fork_server().pid\n"
        "print(os.getpgid(pid) != os.getpgid(0), 'a-secret-value' in open(f'/proc/{pid}/environ').read())\n"
        "print(len(os.listdir(f'/proc/{pid}/fd')), pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = done.stdout.split()
    assert words[:3] == ["True", "False", "4"], (done.stdout, done.stderr)
    for _ in range(100):
        if not _lives(int(words[3])):
            return
        time.sleep(0.05)
    pytest.fail("the fork server outlives its parent")


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_child_can_open_no_files_or_connections() -> None:
    done = run(
        "import socket\nfrom newsletter.feeds.sandbox import fork_server_main\n"
        "fork_server_main.limit_resources(wall=9, cpu=9, memory=2 ** 30)\n"
        "for attempt in (lambda: open('/etc/passwd'), socket.socket, os.pipe):\n"
        "    try: attempt(); print('opened')\n"
        "    except OSError as error: print('refused', error.errno, flush=True)\n"
    )
    assert "opened" not in done.stdout
    assert done.stdout.count("refused 24") == 3, done.stderr


#: Bodies that feedparser takes for a URL or a path, when it is given them as they are.
BODIES = (
    *(b"http://127.0.0.1:%d/x", b"feed://127.0.0.1:%d/x", b"/etc/passwd", b"file:///etc/passwd"),
    *(
        b"<!DOCTYPE rss SYSTEM 'http://127.0.0.1:%d/x.dtd'><rss version='2.0'><channel><title>&x;</title></channel></rss>",
    ),
    *(
        b"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss version='2.0'><channel><title>&x;</title></channel></rss>",
    ),
)


def test_no_body_is_taken_for_an_address_or_a_path() -> None:
    done = run(
        "import socket\nfrom newsletter.feeds.sandbox import fork_server_main\n"
        "from newsletter.feeds.parsing.parse_feed import parse as here\n"
        "server = socket.create_server(('127.0.0.1', 0)); server.settimeout(0)\n"
        "fork_server_main._warm_up(here); seen = []\n"
        "sys.addaudithook(lambda name, words: seen.append((name, words[0])) if name in ('open', 'socket.connect') else None)\n"
        "try: open('/nowhere')\n"
        "except OSError: pass\n"
        f"for body in {BODIES!r}:\n"
        "    body = body.replace(b'%d', b'%d' % server.getsockname()[1])\n"
        "    here(body, url='https://a.example/', now=datetime.now(UTC))\n"
        "    print(type(parse_in_sandbox(body, url='https://a.example/', now=datetime.now(UTC))).__name__)\n"
        "try: server.accept(); print('asked')\n"
        "except BlockingIOError: pass\n"
        "print([what for what in seen if what[0] == 'socket.connect' or 'passwd' in str(what) or 'nowhere' in str(what)])\n"
    )
    lines = done.stdout.splitlines()
    assert "asked" not in lines, done.stdout
    assert lines[-1] == "[('open', '/nowhere')]", (done.stdout, done.stderr)
    assert len(lines) == 7


def test_feedparser_is_given_no_text_that_it_could_take_for_a_path_or_url() -> None:
    """Its `parse` opens what looks like either: only its parsers are used, in one place, and are fed."""
    uses = {}
    for path in sorted(Path(newsletter.feeds.__file__).parents[1].rglob("*.py")):
        found = re.findall(
            r"feedparser\s*\.\s*parse\b|from feedparser import|from feedparser\.api import.*", path.read_text()
        )
        if found:
            uses[path.name] = found
    assert uses == {"feed_handler.py": ["from feedparser.api import LooseFeedParser, StrictFeedParser"]}


def test_every_limit_of_a_child_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.feeds.sandbox import fork_server_main

    seen: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(fork_server_main.resource, "setrlimit", seen.__setitem__)
    alarms: list[float] = []
    record: Callable[[int, float], None] = lambda _which, seconds: alarms.append(seconds)  # noqa: E731
    monkeypatch.setattr(fork_server_main.signal, "setitimer", record)
    fork_server_main.limit_resources(wall=3, cpu=2, memory=100)
    r = fork_server_main.resource
    assert alarms == [fork_server_main.QUICK, 3]
    assert seen == {
        r.RLIMIT_CPU: (2, 2),
        r.RLIMIT_AS: (100, 100),
        **dict.fromkeys((r.RLIMIT_CORE, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE), (0, 0)),
    }
