"""The attacks A1 to A8, each as a row of tries: what was tried, what came back, and whether the service held."""

import contextlib
import json
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.security.service import Answer, read_all
from tests.security.whole_service import (
    HOST,
    LEAVER,
    PROXY,
    READER,
    TOKEN,
    TOPIC,
    WholeService,
    one_click_path,
    path_in,
    wait_for,
)

FORGED = (
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For: 203.0.113.9",
    "Forwarded: for=127.0.0.1",
    "X-Real-IP: 127.0.0.1",
)


@dataclass(frozen=True)
class Try:
    """One thing that an attacker did."""

    tried: str
    came_back: str
    held: bool


def figures(target: WholeService) -> Iterator[Try]:
    """A1: a stranger reads the figures; pages come without TLS."""
    ask = target.service.ask
    headers = (*FORGED, "X-Nothing: 1", "Authorization: Bearer guess")
    answers = [ask("/metrics", one, source=source, host=HOST) for one in headers for source in (PROXY, "127.0.0.1")]
    statuses = Counter(one.status for one in answers)
    shut = set(statuses) == {404} and not any(b"newsletter_" in one.body for one in answers)
    yield Try(
        "read /metrics with forged headers and a guessed token, directly and through the proxy",
        f"{dict(statuses)}",
        shut,
    )
    right = ask("/metrics", f"Authorization: Bearer {TOKEN}", source=PROXY, host=HOST).status
    own = ask("/metrics", port=target.service.metrics_port).status
    yield Try("read them with the token, and at their own listener", f"{right}, {own}", (right, own) == (200, 200))
    told = [
        ask(path, source=PROXY, host=HOST).headers.get("strict-transport-security", "") for path in ("/", "/healthz")
    ]
    yield Try("look for HSTS behind the proxy", ", ".join(told), all(told))


def sign_up_flood(target: WholeService) -> Iterator[Try]:
    """A2: the hourly limit as an oracle and an off switch."""
    flooder = target.visitor("203.0.113.9")
    page, before = flooder.get("/"), len(target.smtp.messages)
    answers = [_seen(flooder.sign_up(f"flood{number}@example.org", page)) for number in range(2_000)]
    told = Counter(answers)
    yield Try(
        "sign up 2,000 addresses from one client", f"{len(told)} different answer(s), {answers[-1][0]}", len(told) == 1
    )
    people = {"known": READER, "unknown": "nobody-knows@example.org"}
    seen = {name: _seen(flooder.sign_up(address, page)) for name, address in people.items()}
    same = len(set(seen.values()) | {answers[-1]}) == 1
    yield Try(
        "over the limit: compare a subscribed address with one that is not", "the same" if same else "differ", same
    )
    target.visitor("198.51.100.7").sign_up("honest@example.org")
    held = bool(target.mail_to("honest@example.org"))
    yield Try("meanwhile somebody else signs up", "the confirmation came", held)
    links = len(target.mails_to(READER))
    other = target.visitor("198.51.101.7")
    other.press("/preferences", other.get("/preferences"), address=READER)
    link = target.mail_to(READER, after=links)
    yield Try("meanwhile a subscriber asks for a preferences link", "it came", "/preferences/" in link.text)
    sent = sum("flood" in mail.recipient for mail in target.smtp.messages[before:])
    yield Try("count the mails that the flood caused", f"{sent} of 2,000", sent <= 60)
    for number in range(3):
        target.visitor(f"198.18.{number}.9").sign_up("victim@example.org")
    path = path_in(target.mail_to("victim@example.org"), "confirm")
    time.sleep(6)  # all three are decided
    mails, works = len(target.mails_to("victim@example.org")), target.visitor("192.0.2.3").get(path).status
    yield Try(
        "three strangers sign up one mailbox", f"{mails} mail, its link answers {works}", (mails, works) == (1, 200)
    )


def dead_addresses(target: WholeService) -> Iterator[Try]:
    """A3: sign-ups of dead addresses pause all mail."""
    target.smtp.script("rcpt", "550 5.1.1 no such user")
    before = target.smtp.commands.count("RCPT")
    for number in range(60):
        target.visitor(f"11.9.{number}.1").sign_up(f"dead{number}@example.org")
    wait_for(lambda: target.smtp.commands.count("RCPT") >= before + 60, "60 refusals", seconds=180)
    target.smtp.rules.clear()
    wait_for(lambda: "sign_ups_pace" in target.service.log.read_text(), "the look at the bounces")
    status = target.status()
    paused, slowed = status["sending_paused_by"], status["sign_ups_slowed"]
    yield Try(
        "sign up 60 dead addresses from 60 networks",
        f"sending is {'paused' if paused else 'open'}, sign-ups are {'slow' if slowed else 'as usual'}",
        not paused and bool(slowed),
    )
    links = len(target.mails_to(LEAVER))
    asker = target.visitor("198.51.102.7")
    asker.press("/preferences", asker.get("/preferences"), address=LEAVER)
    yield Try("a subscriber asks for a link", "it came", "/preferences/" in target.mail_to(LEAVER, after=links).text)


def preview_flood(target: WholeService) -> Iterator[Try]:
    """A4: the keyword preview takes the site down."""
    answers: list[tuple[float, int]] = []

    def look(number: int) -> None:
        visitor = target.visitor(f"12.0.{number}.1")
        page, began = visitor.get("/"), time.monotonic()
        answer = visitor.press("/", page, keyword="\r\n".join(target.keywords), preview="1")
        answers.append((time.monotonic() - began, answer.status))

    look(0)
    alone, status = answers.pop()
    yield Try(
        "preview ten keywords over 6,000 items", f"{status} after {alone * 1000:.0f} ms", alone < 1 and status == 200
    )
    slowest = 0.0
    for first in (20, 40, 60):
        threads = [threading.Thread(target=look, args=(number,)) for number in range(first, first + 20)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            target.service.ask("/healthz")
            slowest = max(slowest, time.monotonic() - began)
    told = Counter(status for _, status in answers)
    longest = max(took for took, _ in answers)
    words = f"{told[200]} shown, {told[503]} told to try again, the longest {longest * 1000:.0f} ms"
    yield Try("three times twenty previews at once", words, set(told) <= {200, 503} and longest < 10)
    yield Try("/healthz meanwhile", f"at most {slowest * 1000:.0f} ms", slowest < 1)


def exchanged_choices(target: WholeService) -> Iterator[Try]:
    """A5: the confirmation button applies what a stranger chose behind the open page."""
    address, victim = "chooser@example.org", target.visitor("13.0.0.1")
    # the pace of new sign-ups may be slow by now: it goes out when its turn comes
    victim.sign_up(address, keyword="Kashgar")
    path = path_in(target.mail_to(address), "confirm")
    open_page = victim.get(path)
    target.visitor("13.1.0.1").sign_up(address, keyword="Gambling", topics=[])
    fresh = target.visitor("13.2.0.1")
    wait_for(lambda: b"Gambling" in fresh.get(path).body, "the other choices")
    told = victim.press(path, open_page)
    held = told.status == 409 and b"Gambling" in told.body and b"Nothing has started yet" in told.body
    yield Try(
        "a stranger signs the address up anew while its owner has the page open",
        f"the button answers {told.status}",
        held,
    )
    done = victim.press(path, told)
    listed = b"Gambling" in done.body and b"Kashgar" not in done.body
    words = "what was shown has started" if listed else "something else has started"
    yield Try("the owner reads that and presses again", f"{done.status}, {words}", done.status == 200 and listed)


_YEAR_LATER = """
import datetime, json, django
django.setup()
from django.db import connection
from newsletter.lib import db
from newsletter.worker import retention, tasks
now = db.now
def rows():
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM subscriber GROUP BY state")
        people = dict(cursor.fetchall())
        cursor.execute("SELECT count(*) FROM topic WHERE kind='own'")
        return people, cursor.fetchone()[0]
before = rows()
db.now = lambda: now() + datetime.timedelta(days=400)
tasks.app.tasks[tasks.app.conf.beat_schedule["prune"]["task"]]()
print(json.dumps({"before": before, "after": rows(), "overdue": retention.overdue(db.now())}))
"""


def later(target: WholeService) -> Iterator[Try]:
    """A6: somebody steals the database when all of it should be gone."""
    path = one_click_path(target.mails_to(LEAVER)[1])
    form = ("Content-Type: application/x-www-form-urlencoded",)
    left = target.service.ask(path, *form, method="POST", body=b"List-Unsubscribe=One-Click", host=HOST, source=PROXY)
    copy = target.service.data.parent / "copy"
    shutil.copytree(target.service.data, copy, ignore=shutil.ignore_patterns("*sqlite3*", "lock"))
    for file in target.service.data.glob("*.sqlite3"):
        with (
            contextlib.closing(sqlite3.connect(file)) as live,
            contextlib.closing(sqlite3.connect(copy / file.name)) as other,
        ):
            live.backup(other)
    told = json.loads(target.service.python(_YEAR_LATER, NEWSLETTER_DATA_DIR=str(copy)))
    (people, words), (people_then, words_then) = told["before"], told["after"]
    gone = left.status == 200 and {"pending", "left"} <= set(people) and set(people_then) == {"active"}
    yield Try("one leaves by one-click; look for people 400 days later", f"{people} -> {people_then}", gone)
    yield Try("look for the own keyword that only they followed", f"{words} -> {words_then}", words_then == words - 1)
    yield Try(
        "look for rows that are older than docs/privacy.md says", f"{told['overdue'] or 'none'}", not told["overdue"]
    )


def forwarded_mail(target: WholeService) -> Iterator[Try]:
    """A7: a stranger with a forwarded mail brings somebody back who left."""
    path = path_in(target.mails_to(READER)[1], "unsubscribe")
    owner, stranger = target.visitor("14.0.0.1"), target.visitor("14.1.0.1")
    shown = stranger.get(path).body
    leaks = [word for word in (READER, TOPIC, "Zzyzx") if word.encode() in shown]
    yield Try("open the link of a forwarded mail", f"shows {len(leaks)} of address, topic and keyword", not leaks)
    kept = _undo(owner.press(path, owner.get(path)))
    again = stranger.press(path, stranger.get(path))
    held = again.status == 200 and _undo(again) is None
    yield Try(
        "the owner stops all mail; the stranger stops it again", f"{again.status}, an undo link: {not held}", held
    )
    token, form = path.rpartition("/")[2], stranger.get(path)
    statuses = {stranger.press(f"/undo/{guess}", form).status for guess in (token, "A" * 22)}
    yield Try("the stranger presses undo with the mail's token", f"{statuses}", statuses == {404})
    before = len(target.mails_to(READER))
    back = owner.press(kept or "/none", owner.get(kept or "/none"))
    told = target.mail_to(READER, after=before)
    words = str(told.message["Subject"])
    yield Try("the owner's own undo", f"{back.status}, and a mail says so", back.status == 200 and "again" in words)


def slow_and_large(target: WholeService) -> Iterator[Try]:
    """A8: one large request fills the disk, idle ones use up all connections."""
    for name, head, begin in (
        ("that names its length", "Content-Length: 300000000", b""),
        ("in chunks", "Transfer-Encoding: chunked", b"11e1a300\r\n"),
    ):
        before = target.service.memory()
        status, spooled = _upload(target, head, begin)
        grown = (target.service.memory() - before) / 1e6
        words = f"{status}, {len(spooled)} temporary files, {grown:.1f} MB more memory"
        yield Try(f"post 300 MB {name}", words, status == 413 and not spooled and grown < 20)
    with contextlib.ExitStack() as stack:
        for number in range(400):
            connection = stack.enter_context(target.service.connect())
            if number % 2:
                connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nx")
        took = []
        for _ in range(5):
            began = time.monotonic()
            status = target.service.ask("/healthz").status
            took.append(time.monotonic() - began)
    yield Try("hold 400 idle connections open", f"/healthz {status} within {max(took) * 1000:.0f} ms", max(took) < 1)


ATTACKS: dict[str, tuple[str, Callable[[WholeService], Iterator[Try]]]] = {
    "A1": ("figures behind a proxy, and HSTS", figures),
    "A2": ("a flood of sign-ups as an oracle and an off switch", sign_up_flood),
    "A3": ("dead addresses", dead_addresses),
    "A4": ("a flood of keyword previews", preview_flood),
    "A5": ("choices exchanged behind the confirmation page", exchanged_choices),
    "A6": ("what is still there after 400 days", later),
    "A7": ("a forwarded mail", forwarded_mail),
    "A8": ("slow and large requests", slow_and_large),
}


def _seen(answer: Answer) -> tuple[int, str, bytes]:
    return answer.status, answer.headers.get("location", ""), answer.body


def _undo(page: Answer) -> str | None:
    found = page.body.partition(b'action="/undo/')[2].partition(b'"')[0].decode()
    return f"/undo/{found}" if found else None


def _upload(target: WholeService, header: str, begin: bytes) -> tuple[int, list[str]]:
    """The status of the answer to 300 MB, sent as fast as they are taken, and the files that they were put into."""
    sent, spooled = 0, set[str]()
    with target.service.connect() as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: {HOST}\r\n{header}\r\n\r\n".encode() + begin)
        with contextlib.suppress(OSError):
            while sent < 300_000_000:
                sent += connection.send(bytes(1_000_000))
                spooled |= set(target.service.spooled())
        return Answer(read_all(connection)).status, sorted(spooled)
