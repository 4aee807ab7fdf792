"""How long the server takes for each page of the desk, on PostgreSQL with a large installation.

    python -m bench.desk [--people 100000] [--rounds 7] [--only mailings]

100,000 subscribers, 1,000,000 deliveries, 50,000 items. Each page is asked for through Django's handler with all middleware and
templates, signed in as an owner; the median of the rounds is printed with the number of queries. Beside it, in the same run and
on the same tables: the list that a framework's admin pages give without further work (`Paginator`: a COUNT of all rows and a page
by OFFSET), first and in the middle.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import million

#: Milliseconds within which a page is to be made.
WITHIN = 100.0


def main() -> None:
    """Make the database, and measure in a process that knows its settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="pages whose name contains this")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        measure(asked.people, asked.items, asked.rounds, asked.only)
        return
    with million.postgres() as server, tempfile.TemporaryDirectory() as data:
        url = million.seeded(server, asked.people)
        environment = million.environment(Path(data), url)
        subprocess.run([sys.executable, "-m", "bench.desk", "--inside", *sys.argv[1:]], env=environment, check=True)


def measure(people: int, items: int, rounds: int, only: str) -> None:
    """Fill the rest of the tables, then ask for every page."""
    import logging

    import django

    django.setup()
    logging.getLogger("django.request").setLevel(logging.ERROR)
    from newsletter.lib import db
    from tests.web.desk import installation

    print(f"filling {items:,} items and {people * installation.OCCASIONS:,} deliveries …", flush=True)
    installation.fill(items=items, words=million.WORDS)
    db.execute("VACUUM ANALYZE")
    client = _owner()
    print(f"{'page':44} {'ms':>7} {'queries':>8}   medians of {rounds}, on {os.cpu_count()} cores")
    slow = []
    for name, path in _paths():
        if only not in name:
            continue
        queries = _queries(client, path)
        if queries is None:
            continue
        taken = _median(lambda path=path: client.get(path), rounds)  # type: ignore[misc]
        slow += [name] if taken > WITHIN else []
        print(f"{name:44} {taken:7.1f} {queries:8}{' *' if taken > WITHIN else ''}", flush=True)
    print(f"pages slower than {WITHIN:.0f} ms: {', '.join(slow) or 'none'}")
    _peer(client, rounds)


def _owner() -> Any:
    from django.test import Client

    from newsletter.models import Admin
    from tests.web.desk.conftest import make_admin, signed_in

    client: Client = signed_in(make_admin("owner", Admin.Role.OWNER))
    client.defaults["HTTP_HOST"] = "localhost"
    return client


def _paths() -> list[tuple[str, str]]:
    """Every page of the desk that shows something, with the newest row of what its address names."""
    from newsletter import wiring
    from newsletter.lib.mail.references import reference
    from newsletter.models import Delivery, Edition, Feed, Item, Message, Occasion, Topic
    from newsletter.web.desk.access import Access
    from tests.web.desk.routes import access, address, desk_routes

    known = {
        "feed_id": Feed.objects.latest("id").id,
        "topic_id": Topic.objects.latest("id").id,
        "item_id": Item.objects.latest("id").id,
        "occasion_id": Occasion.objects.latest("id").id,
        "message_id": Message.objects.latest("id").id,
        "edition_id": Edition.objects.latest("id").id,
        "reference": reference(Delivery.objects.latest("id").id, wiring.vault()),
    }
    return [
        (route.name or "", address(route, **known)) for route in desk_routes() if access(route) is not Access.ANYBODY
    ]


def _queries(client: Any, path: str) -> int | None:
    """How many queries a page costs; None if there is no page: a form is sent there, or it leads elsewhere."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
        b"".join(answer) if answer.streaming else answer.content
    return len(captured) if answer.status_code == 200 else None


def _median(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _peer(client: Any, rounds: int) -> None:
    from django.core.paginator import Paginator
    from django.db.models import F
    from django.urls import reverse

    from newsletter.models import Delivery, Item

    ours = {
        name: _median(lambda name=name: client.get(reverse(f"desk_{name}")), rounds) for name in ("items", "mailings")
    }
    items = Item.objects.annotate(title=F("itemversion__title")).order_by("-first_seen_at")
    deliveries = Delivery.objects.select_related("batch", "occasion").order_by("-id")
    for name, rows in (("items", items), ("mailings", deliveries)):
        for where, page in (("first page", 1), ("middle page", rows.count() // 200)):
            usual = _median(lambda rows=rows, page=page: list(Paginator(rows, 100).page(page)), rounds)  # type: ignore[misc]
            print(
                f"{name}: a usual list (COUNT and OFFSET), {where}: {usual:.1f} ms of queries alone; "
                f"our whole page {ours[name]:.1f} ms: {usual / ours[name]:.1f} times"
            )


if __name__ == "__main__":
    main()
