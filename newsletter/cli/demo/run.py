"""The demo: sample feeds on this machine, people who follow topics in them, and a line for each mail that is written."""

import threading
import time
from datetime import timedelta
from email import message_from_bytes, policy

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.admins.greeting import say_how_to_open_the_demo
from newsletter.cli.command_name import command_name
from newsletter.cli.demo import history, sample_feeds
from newsletter.cli.demo.sample_site import SampleSite
from newsletter.cli.output import fail, note
from newsletter.cli.service.embedded_service import Service
from newsletter.cli.service.outbox_place import outbox_place
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
#: The demo has finished if all posts are published, and then no mail was written for so many seconds.
QUIET = 5.0

#: Name, group of an alias pack, and what subscribers read about the topic.
_TOPICS = (
    ("Uyghur", "peoples:uyghur", "Uyghur life, language and culture, at home and abroad."),
    ("Tibet", "peoples:tibetan", "News about Tibetans, their schools, books and language."),
    ("Hong Kong", "peoples:hong-kong", "What happens in Hong Kong, and to its people elsewhere."),
    ("Huawei", "companies:huawei", "The company, its products and its former branches."),
)
_FINISHED = """\
demo: finished, {mails} mails written. The service runs until you press Ctrl-C. Three things to try next:
  1. Read the mails:       {outbox}
  2. Subscribe yourself:   {base}/  (the confirmation mail appears in the outbox)
  3. Start your own:       press Ctrl-C, then type {command}"""


def play(*, seconds: float, fresh: bool) -> None:
    """Run the demo until Ctrl-C, or for `seconds` if that is more than 0."""
    (address,) = wiring.config().feed_allow
    site = SampleSite(address, held_back=HELD_BACK)
    site.start()
    if fresh:
        _set_up(site)
    say_how_to_open_the_demo()
    note("demo: an article is published every few seconds, and each mail is named here as it is written")
    Service(lambda stopped: _run(site, stopped), seconds=seconds).run()
    site.stop()


def _set_up(site: SampleSite) -> None:
    from django.conf import settings

    for name, pack, description in _TOPICS:
        query = groups.group_query(pack_files.find_group(pack, settings.PACKS_DIR))
        topics.add_topic(name, query, now=db.now(), actor=actor.from_command(), description=description)
    feed_ids = {}
    for name in sample_feeds.PATHS:
        announce = "latest" if name == "briefs" else "all"
        added = manage.add(
            site.url(name), announce=announce, fetcher=wiring.fetcher(), now=db.now(), actor=actor.from_command()
        )
        if isinstance(added, Refused):
            fail(added.reason)
        feed_ids[name] = added.feed_id
    ids = {topic.name: topic.topic_id for topic in topic_status.list_topics(small_number=wiring.config().small_number)}
    history.write_history(ids, feed_ids, now=db.now())
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
        actor=actor.from_command(),
    )


def _run(site: SampleSite, stopped: threading.Event) -> None:
    """Publish one post after the other, name each mail, and say when all is done."""
    tasks.publish("refresh_due")
    mails: set[str] = set()
    published = last_mail = time.monotonic()
    finished = False
    while not stopped.wait(0.3):
        new = _name_new_mails(mails)
        mails |= new
        last_mail = time.monotonic() if new else last_mail
        if finished or time.monotonic() - published <= EVERY:
            continue
        if site.publish():
            published = time.monotonic()
            _read_again(site)
        elif time.monotonic() - last_mail > QUIET:
            finished = True
            base = wiring.config().base_url
            for line in _FINISHED.format(
                mails=len(mails), outbox=outbox_place(), base=base, command=_start_command()
            ).splitlines():
                note(line)


def _read_again(site: SampleSite) -> None:
    feed_id = manage.find(site.url("briefs"))
    if feed_id is not None:
        manage.mark_due(feed_id, now=db.now())
        tasks.publish("refresh_due")
    tasks.publish("slots")


def _name_new_mails(known: set[str]) -> set[str]:
    """Print the subject of each mail that is not in `known`; returns the names of their files."""
    outbox = wiring.config().outbox_directory
    paths = [path for path in sorted(outbox.glob("*.eml")) if path.name not in known] if outbox.is_dir() else []
    for path in paths:
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        note(f"mail: “{mail['Subject']}”  {outbox_place().rstrip('/')}/{path.name}")
    return {path.name for path in paths}


def _start_command() -> str:
    return command_name() if command_name().endswith("run.sh") else f"{command_name()} run"
