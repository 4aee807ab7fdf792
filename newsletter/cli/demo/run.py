"""The demo: sample feeds served on this machine, people who follow them, and a line for every mail that arrives."""

import threading
import time
from datetime import timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from newsletter import wiring
from newsletter.cli.demo import sample_feeds
from newsletter.cli.output import fail, note
from newsletter.cli.service.embedded_service import Service
from newsletter.feeds.catalogue import manage
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.aliases import groups, pack_files
from newsletter.matching.topics import topic_status, topics
from newsletter.models import Cadence, Rhythm
from newsletter.subscribers.admin_subscribe import subscribe_directly
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.email_address import parse_address
from newsletter.worker import tasks

#: Posts of `briefs` that are held back, and the seconds between two of them.
HELD_BACK = 4
EVERY = 6.0
#: Seconds after which the daily digest of the demo is due.
DIGEST_AFTER = 10.0

_TOPICS = (
    ("Uyghur", "peoples:uyghur"),
    ("Tibet", "peoples:tibetan"),
    ("Hong Kong", "peoples:hong-kong"),
    ("Huawei", "companies:huawei"),
)


def play(*, seconds: float, fresh: bool) -> None:
    """Run the demo until Ctrl-C, or for `seconds` when they are more than 0."""
    site = _Site()
    site.start()
    if fresh:
        _set_up(site)
    note("demo: a new post appears every few seconds; each mail that arrives is told here")
    Service(lambda stopped: _run(site, stopped), seconds=seconds).run()
    site.stop()


class _Site:
    """A digest site on this machine, which publishes little by little."""

    def __init__(self) -> None:
        (self.address,) = wiring.config().feed_allow
        self._posts = sample_feeds.posts()
        self._held_back = HELD_BACK
        self._began = db.now()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(self.address, Handler)

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="site", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()

    def url(self, name: str) -> str:
        return f"http://{self.address[0]}:{self.address[1]}{sample_feeds.PATHS[name][0]}"

    def publish(self) -> bool:
        """Publish one more post; False when all are out."""
        self._held_back -= 1
        return self._held_back >= 0

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        names = {path: name for name, (path, _) in sample_feeds.PATHS.items()}
        name = names.get(request.path)
        if name is None:
            request.send_error(404)
            return
        held = max(self._held_back, 0) if name == "briefs" else 0
        body = sample_feeds.write(name, self._posts[name][held:], self._began).encode()
        request.send_response(200)
        request.send_header("Content-Type", f"{sample_feeds.PATHS[name][1]}; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def _set_up(site: _Site) -> None:
    from django.conf import settings

    for name, pack in _TOPICS:
        query = groups.group_query(pack_files.find_group(pack, settings.PACKS_DIR))
        topics.add_topic(name, query, now=db.now(), made_by="demo")
    for name in sample_feeds.PATHS:
        announce = "latest" if name == "briefs" else "all"
        added = manage.add(site.url(name), announce=announce, fetcher=wiring.fetcher(), now=db.now())
        if isinstance(added, Refused):
            fail(added.reason)
    ids = {topic.name: topic.topic_id for topic in topic_status.list_topics()}
    _follow("one", Choices((ids["Uyghur"], ids["Tibet"]), cadence=Cadence.IMMEDIATE))
    _follow("two", Choices((ids["Huawei"],), cadence=Cadence.IMMEDIATE, discreet=False))
    _follow("three", Choices((), ("submarine cable", '"press freedom"'), cadence=Cadence.IMMEDIATE))
    _follow("four", Choices(tuple(ids.values()), cadence=Cadence.DAILY, mail_time=MailTime("Asia/Almaty", 7)))
    Rhythm.objects.filter(zone="Asia/Almaty", cadence=Cadence.DAILY).update(
        due_at=db.now() + timedelta(seconds=DIGEST_AFTER)
    )


def _follow(name: str, choices: Choices) -> None:
    subscribe_directly(
        parse_address(f"reader-{name}@example.org"),
        choices,
        wiring.subscribing(db.now()),
        confirmed=True,
        source="demo",
    )


def _run(site: _Site, stopped: threading.Event) -> None:
    tasks.publish("refresh_due")
    told: set[str] = set()
    published = time.monotonic()
    while not stopped.wait(0.3):
        told |= _tell(told)
        if time.monotonic() - published > EVERY and site.publish():
            published = time.monotonic()
            feed_id = manage.find(site.url("briefs"))
            if feed_id is not None:
                manage.mark_due(feed_id, now=db.now())
                tasks.publish("refresh_due")
            tasks.publish("slots")


def _tell(told: set[str]) -> set[str]:
    """Say a line for each mail that was not told yet; returns their file names."""
    outbox = wiring.config().data_dir / "outbox"
    found = {path.name: path for path in sorted(outbox.glob("*.eml"))} if outbox.is_dir() else {}
    for name in found.keys() - told:
        mail = message_from_bytes(found[name].read_bytes(), policy=policy.default)
        note(f"mail  “{mail['Subject']}”  → {found[name]}")
    return set(found)
