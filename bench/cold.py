"""The first match of a new process: nine posts and all queries in a database, the queries as keywords of readers, sealed.

`python -m bench.cold WHAT` is a process of its own, which `cold` starts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from bench import corpus

POSTS = 9
VAULT = (b"a secret for benchmarks only", {1: bytes(range(32))}, bytes(range(32, 64)))


def cold(size: int) -> dict[str, Any]:
    """Milliseconds until the topics of nine posts are known: with anchors, and with the whole index."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "newsletter.settings", "NEWSLETTER_DATA_DIR": directory}
        _run(environment, "make", str(size))
        told: dict[str, Any] = {"made": json.loads(_run(environment, "make_anchors"))}
        for way in ("whole", "first", "first_again"):
            told[way] = json.loads(_run(environment, way))
    return told


def _run(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "bench.cold", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.splitlines()[-1] if done.stdout else ""


def _make(size: int) -> None:
    """Nine items that wait, and a topic for every query."""
    from django.core.management import call_command
    from django.db import transaction

    from newsletter.lib import db
    from newsletter.lib.crypto import Vault
    from newsletter.models import Entry, Feed, IndexState, Item, ItemVersion, Topic, TopicRevision

    call_command("migrate", verbosity=0)
    made, now, vault = corpus.make(1_000, round(size * 1.15)), db.now(), Vault(*VAULT)
    keywords = [query for query in made.queries if corpus.by_readers(query)][:size]
    IndexState.objects.get_or_create(id=1)
    with transaction.atomic():
        feed = Feed.objects.create(url="https://digest.example/feed", next_fetch_at=now, created_at=now)
        for number, post in enumerate(made.posts[:POSTS]):
            moments = dict.fromkeys(("published_at", "first_seen_at", "last_seen_at"), now)
            entry = Entry.objects.create(feed=feed, guid=f"{number}", raw_hash=b"", **moments)
            item = Item.objects.create(
                entry=entry, key=b"whole", position=0, first_seen_at=now, lang="en", announced=True
            )
            ItemVersion.objects.create(item=item, n=1, title="", text=post, html="", meaning_hash=b"", seen_at=now)
        topics = []
        for query in keywords:
            written = corpus.written(query)
            index = vault.blind_index("query", written)
            key_id, cipher = vault.encrypt(written, handle=index, column="query")
            topics.append(Topic(kind="own", query_index=index, query_cipher=cipher, key_id=key_id, created_at=now))
        Topic.objects.bulk_create(topics, batch_size=500)
        TopicRevision.objects.bulk_create(
            [TopicRevision(topic=one, n=1, made_at=now) for one in topics], batch_size=500
        )
        db.execute("UPDATE topic SET revision_id = (SELECT r.id FROM topic_revision r WHERE r.topic_id = topic.id)")


def _make_anchors() -> dict[str, float]:
    from newsletter.lib.crypto import Vault
    from newsletter.matching.live_index.keyword_hashes import store_missing_hashes

    started = time.process_time()
    done = store_missing_hashes({"en"}, Vault(*VAULT))
    return {"topics": done, "seconds": time.process_time() - started}


def _first(*, whole: bool) -> dict[str, float]:
    """What `match_fresh` does before it writes."""
    from newsletter.lib.crypto import Vault
    from newsletter.matching.live_index import cold_start
    from newsletter.matching.live_index.current import CurrentIndex
    from newsletter.matching.live_index.stored_items import current_versions, load_items
    from newsletter.models import Topic

    index = CurrentIndex(Vault(*VAULT))
    Topic.objects.exists()  # the connection is open
    cold_start._build_whole = lambda index: None  # it would run beside
    started, cpu = time.perf_counter(), time.process_time()
    waiting = list(load_items(current_versions().filter(item__matched_at=None).order_by("item_id")[:200]))
    read = time.perf_counter()
    seen: Sequence[Any] = [one.document for one in waiting]
    present = index.get() if whole else cold_start.cold_start_index(seen, index)
    assert present is not None  # noqa: S101
    made = time.perf_counter()
    met = sum(len(present.matching_queries(one)) for one in seen)
    ended = time.perf_counter()
    parts = {"read": read - started, "index": made - read, "match": ended - made}
    return {"ms": (ended - started) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3, "hits": met} | {
        name: seconds * 1e3 for name, seconds in parts.items()
    }


if __name__ == "__main__":
    import django

    django.setup()
    match sys.argv[1:]:
        case ["make", size]:
            _make(int(size))
        case ["make_anchors"]:
            print(json.dumps(_make_anchors()))
        case [way]:
            print(json.dumps(_first(whole=way == "whole")))
