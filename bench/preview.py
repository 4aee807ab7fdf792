"""How long the keyword preview of the sign-up page takes on the running service, beside matching every item and SQL's LIKE.

python -m bench.preview [--items 6000 50000] [--database sqlite postgres]      (`make bench-preview`)

Each size: items of 450 words in a fresh database; a `newsletter web` process of its own; one line, ten lines, and ten lines
made to hurt; then twenty previews at once, again and again for some seconds, while /healthz is asked. The peers run in this
process over the same rows: the matcher reading all items of 30 days, as previews did before, and LIKE, which knows neither
words nor languages.
"""

import argparse
import http.client
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import corpus, processes
from tests import services

ROOT = Path(__file__).resolve().parents[1]
#: Milliseconds of one preview, and of /healthz, that must not be passed.
TARGET, HEALTH_TARGET = 100, 1_000
TIMES, AT_ONCE, SECONDS = 20, 20, 8.0
#: Of more items the matcher is asked one line only.
MOST_FOR_PEER = 10_000


def main() -> None:
    """Read the command line; measure every database at every size."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--items", type=int, nargs="+", default=[6_000, 50_000])
    options.add_argument("--database", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    options.add_argument("--one", nargs=2, metavar=("KIND", "ITEMS"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        measure(*chosen.one)
        return
    for kind in chosen.database:
        for items in chosen.items:
            with tempfile.TemporaryDirectory() as directory, _database(kind) as url:
                environment = (
                    os.environ
                    | {
                        "NEWSLETTER_DATA_DIR": directory,
                        "NEWSLETTER_BIND": f"127.0.0.1:{services.free_port()}",
                        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
                    }
                    | ({"NEWSLETTER_DATABASE_URL": url} if url else {})
                )
                command = [sys.executable, "-m", "bench.preview", "--one", kind, str(items)]
                subprocess.run(command, env=environment, check=True)


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield ""
        return
    server = services.Postgres()
    server.start()
    try:
        yield server.new_database()
    finally:
        server.stop()


def measure(kind: str, items: str) -> None:
    """One database at one size, in a process with the settings of its own."""
    import django

    django.setup()
    lines = fill(int(items))
    bind = os.environ["NEWSLETTER_BIND"]
    print(f"\n{kind}, {int(items):,} items", flush=True)
    with _server(bind) as pid:
        at_start = processes.peak_mb(pid)
        first = _post(bind, lines["ten lines"])
        print(f"  first preview after the start: {first[0]:.0f} ms, {_window(first[2])}")
        began = time.monotonic()
        while f"newest {min(int(items), 5_000):,} art" not in (
            page := _post(bind, lines["one line"])[2]
        ) and "days" not in _window(page):
            time.sleep(0.5)
        print(f"  the index was whole {time.monotonic() - began:.0f} s later")
        ours = {}
        for name, asked in lines.items():
            spent = processes.cpu(pid)
            times = sorted(_post(bind, asked)[0] for _ in range(TIMES))
            spent = (processes.cpu(pid) - spent) / TIMES * 1e3
            ours[name] = statistics.median(times)
            window = _window(_post(bind, asked)[2])
            most = f"most {times[-1]:.0f}, {spent:.0f} ms of CPU with the form's page"
            _tell(f"{name}, median of {TIMES} ({most})", ours[name], TARGET, window)
        _together(bind, lines["ten lines"])
        print(f"  memory of the web process: {at_start:.0f} MB at the start, {processes.peak_mb(pid):.0f} MB at most")
    for name in ("one line", "ten lines"):
        for peer, work in (("matching every item", _every_item), ("LIKE", _like)):
            if work is _every_item and name == "ten lines" and int(items) > MOST_FOR_PEER:
                continue  # it takes minutes
            spent = _timed(work, lines[name])
            print(f"  {name}: {peer} {spent:,.0f} ms, {spent / ours[name]:.1f} times as long as the preview")


def _tell(what: str, milliseconds: float, target: float, more: str = "") -> None:
    print(f"  {what}: {milliseconds:.0f} ms{'' if milliseconds < target else '  MISSED'}  {more}", flush=True)


def fill(items: int) -> dict[str, list[str]]:
    """Items of the last 30 days; what is asked of them."""
    from django.core.management import call_command
    from django.db import transaction

    from newsletter.lib import db
    from newsletter.models import Entry, Feed, Item, ItemVersion

    call_command("migrate", verbosity=0)
    made, chance, now = corpus.make(min(items, 3_000), 200), random.Random(7), db.now()
    feed = Feed.objects.create(url="https://digest.example/feed", next_fetch_at=now, created_at=now)
    for start in range(0, items, 1_000):
        numbers = range(start, min(items, start + 1_000))
        moments = dict.fromkeys(("published_at", "first_seen_at", "last_seen_at"), now)
        with transaction.atomic():
            entries = Entry.objects.bulk_create(
                [Entry(feed=feed, guid=f"{number}", raw_hash=b"", title="", **moments) for number in numbers]
            )
            stored = Item.objects.bulk_create(
                [Item(entry=entry, key=b"whole", first_seen_at=now, matched_at=now, lang="en") for entry in entries]
            )
            ItemVersion.objects.bulk_create([
                ItemVersion(item=item, n=1, title=f"Item {item.id}", text=_text(made.posts, chance), html="",
                            meaning_hash=b"", seen_at=now)
                for item in stored
            ])  # fmt: skip
    common = [
        word for word in " ".join(made.posts[:50]).lower().replace(",", "").replace(".", "").split() if word.isalpha()
    ]
    often = sorted(set(common), key=common.count, reverse=True)
    rare = often[-4:]
    ten = [often[0], often[40], rare[0], f'"{often[0]} {often[1]}"', f"{often[2]} -{often[0]}", f"{often[3]} {rare[1]}"]
    ten += [often[100].upper()[:4], f'"{rare[2]}"', f"{often[60]} {often[61]} {often[62]}", rare[3]]
    pairs = [f'"{one} {other}"' for one in often[:12] for other in often[:12]]
    hurting = [" ".join(chance.sample(pairs, 16)) for _ in range(10)]
    return {"one line": [often[40]], "ten lines": ten, "ten lines that hurt": hurting}


def _text(posts: list[str], chance: random.Random) -> str:
    """Half of one post and half of another, so that many differ."""
    one, other = chance.choice(posts), chance.choice(posts)
    return f"{one[: len(one) // 2]}\n\n{other[len(other) // 2 :]}"


@contextmanager
def _server(bind: str) -> Iterator[int]:
    command = [sys.executable, "-m", "newsletter", "web"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        services.wait_for_port(int(bind.rpartition(":")[2]), process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def _post(bind: str, lines: list[str]) -> tuple[float, int, str]:
    """Milliseconds, status and page of one preview."""
    connection = http.client.HTTPConnection(bind, timeout=300)
    connection.request("GET", "/")
    page = connection.getresponse()
    cookie = (page.headers["Set-Cookie"] or "").partition(";")[0]
    word = page.read().decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    form = {"csrfmiddlewaretoken": word, "keyword": "\r\n".join(lines), "preview": "1"}
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    began = time.perf_counter()
    connection.request("POST", "/", urllib.parse.urlencode(form), headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return (time.perf_counter() - began) * 1e3, answer.status, body


def _window(page: str) -> str:
    """What the first line's answer says of how far it looked."""
    heading = page.partition('role="status">')[2].partition('class="heading">')[2].partition("</p>")[0]
    return " ".join(heading.rpartition("</bdi>”")[2].split())


def _together(bind: str, lines: list[str]) -> None:
    end, answered, health = time.monotonic() + SECONDS, [], []

    def look() -> None:
        while time.monotonic() < end:
            answered.append(_post(bind, lines)[:2])

    threads = [threading.Thread(target=look) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        began = time.perf_counter()
        connection = http.client.HTTPConnection(bind, timeout=60)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        health.append((time.perf_counter() - began) * 1e3)
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    shown = sorted(spent for spent, status in answered if status == 200)
    busy = sum(status == 503 for _, status in answered)
    other, middle = len(answered) - len(shown) - busy, statistics.median(shown)
    print(f"  {AT_ONCE} at once: {len(shown)} shown (median {middle:.0f} ms), {busy} told to try again, {other} else")
    _tell(f"/healthz meanwhile, p99 of {len(health)}", sorted(health)[int(len(health) * 0.99) - 1], HEALTH_TARGET)


def _timed(work: Callable[[list[str]], None], lines: list[str]) -> float:
    began = time.perf_counter()
    work(lines)
    return (time.perf_counter() - began) * 1e3


def _every_item(lines: list[str]) -> None:
    from newsletter.lib import db
    from newsletter.matching.match import preview_matches

    for line in lines:
        preview_matches([line], now=db.now(), days=30, limit=100)


def _like(lines: list[str]) -> None:
    from newsletter.lib import db

    like = "ILIKE" if db.is_postgres() else "LIKE"
    for line in lines:
        words = [word.strip('"-') for word in line.split()]
        where = " AND ".join([f"text {like} %s"] * len(words))
        db.rows(f"SELECT count(*) FROM item_version WHERE {where}", [f"%{word}%" for word in words])


if __name__ == "__main__":
    main()
