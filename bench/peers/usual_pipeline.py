"""The usual pipeline: a Celery task for each mail, which renders a Jinja2 page, inlines its styles and posts one request.

    celery -A bench.peers.usual_pipeline worker

Real Celery and Redis, the same database, the same articles, the same sink; no ledger but a row marked after the request.
"""

import os
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import Celery

from bench import million, processes, sinks

if TYPE_CHECKING:
    from tests import services

app = Celery("usual", broker=os.environ.get("NEWSLETTER_BROKER_URL", "redis://"))
app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=4)

_PAGE = """<html><head><style>{{ style }}</style></head><body><h1>{{ count }} articles for you</h1>
{% for item in items %}<article><h2>{{ item.title }}</h2>{{ item.html|safe }}
<p class="why">You follow {{ item.topic }}.</p></article>{% endfor %}
<p><a href="{{ leave }}">Unsubscribe</a> · {{ reference }}</p></body></html>"""
_TEXT = """{{ count }} articles for you
{% for item in items %}
{{ item.title }}

{{ item.text }}

You follow {{ item.topic }}.
{% endfor %}
Unsubscribe: {{ leave }}
{{ reference }}"""


@cache
def _ready() -> tuple[Any, ...]:
    """Templates, inliner and client of this worker, made once."""
    import django

    django.setup()
    import css_inline
    from jinja2 import Environment
    from sendgrid import SendGridAPIClient

    from newsletter import wiring

    style = (Path(million.ROOT) / "templates/email/style.css").read_text()
    environment = Environment(autoescape=True)
    client = SendGridAPIClient("SG.for-the-sink", host=os.environ["NEWSLETTER_SENDGRID_URL"])
    return (
        environment.from_string(_PAGE),
        Environment(autoescape=False).from_string(_TEXT),  # noqa: S701 - plain text
        css_inline.CSSInliner(load_remote_stylesheets=False),
        client,
        wiring.vault(),
        style,
    )


@app.task(name="usual.mail")
def mail(delivery_id: int) -> None:
    """Read everything, word it, send it, mark it."""
    page, text, inliner, client, vault, style = _ready()
    from newsletter.models import Delivery, Item, Topic

    delivery = Delivery.objects.select_related("subscriber").get(id=delivery_id)
    who = delivery.subscriber
    address = vault.decrypt(who.key_id, who.address_cipher, handle=who.handle.bytes, column="address")
    followed = Topic.objects.filter(subscription__subscriber=who, subscription__ended_at=None)
    items = [
        {"title": version.title, "html": version.html, "text": version.text, "topic": match.topic.name}
        for item in Item.objects.filter(match__topic__in=followed).distinct()
        for version in item.itemversion_set.all()
        for match in item.match_set.select_related("topic")
    ]
    leave = f"https://news.example.org/unsubscribe/{vault.token('unsubscribe', who.id)}"
    values = {"items": items, "count": len(items), "leave": leave, "reference": str(delivery_id), "style": style}
    client.client.mail.send.post(
        request_body={
            "personalizations": [{"to": [{"email": address}], "custom_args": {"d": str(delivery_id)}}],
            "from": {"email": "digest@news.example.org"},
            "subject": f"{len(items)} articles for you",
            "content": [
                {"type": "text/plain", "value": text.render(**values)},
                {"type": "text/html", "value": inliner.inline(page.render(**values))},
            ],
            "headers": {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        }
    )
    Delivery.objects.filter(id=delivery_id).update(state="accepted")


def measure(server: "services.Postgres", redis: "services.Redis", template: str, people: int) -> tuple[float, float]:
    """(mails a second, mails a processor second) for `people` of a seeded database, with two workers."""
    redis.command("FLUSHALL")
    with tempfile.TemporaryDirectory() as directory, sinks.sendgrid() as sink:
        url = server.new_database(template=template.rpartition("/")[2])
        told = million.environment(
            Path(directory) / "data",
            url,
            NEWSLETTER_BROKER_URL=redis.url,
            NEWSLETTER_MAIL_URL="sendgrid:",
            NEWSLETTER_SENDGRID_API_KEY="SG.for-the-sink",
            NEWSLETTER_SENDGRID_URL=sink.url,
        )
        (Path(directory) / "data").mkdir(mode=0o700)
        numbers = subprocess.run(
            [sys.executable, "-m", "bench.peers.usual_pipeline", str(people)],
            env=told, cwd=million.ROOT, check=True, capture_output=True, text=True,
        ).stdout.split()  # fmt: skip
        app.conf.broker_url = redis.url
        command = [sys.executable, "-m", "celery", "-A", "bench.peers.usual_pipeline", "worker", "--concurrency=2"]
        worker = subprocess.Popen([*command, "--loglevel=ERROR"], env=told, cwd=million.ROOT, stdout=subprocess.DEVNULL)
        try:
            while len(processes.family(worker.pid)) < 3:
                time.sleep(0.1)
            mail.apply_async([int(numbers[0])])
            mail.apply_async([int(numbers[1])])
            _until(sink, 2)  # imports and templates are not what a mail costs
            used, began = _used(worker.pid, server.pid), time.monotonic()
            for number in numbers[2:]:
                mail.apply_async([int(number)])
            _until(sink, people)
            took = time.monotonic() - began
            return (people - 2) / took, (people - 2) / (_used(worker.pid, server.pid) - used)
        finally:
            worker.terminate()
            worker.wait(timeout=60)


def _used(*pids: int) -> float:
    """Processor seconds of these processes and their children, and of this one, which publishes."""
    return time.process_time() + sum(processes.cpu(one) for pid in pids for one in processes.family(pid))


def _until(sink: sinks.Sink, recipients: int) -> None:
    while sink.taken().recipients < recipients:
        time.sleep(0.05)


def _plan(people: int) -> None:
    """The entry stored and matched, a delivery for each of so many people; prints their ids."""
    import django

    django.setup()
    from datetime import timedelta

    from newsletter import wiring
    from newsletter.editions import gatherings
    from newsletter.lib import db, log_setup
    from newsletter.matching import match
    from newsletter.models import Batch, Delivery, Lane, Subscriber

    log_setup.configure("ERROR")
    million.store_entry(at=db.now())
    match.match_fresh(now=db.now(), index=wiring.topic_index())
    gatherings.close_alert_gathering(now=db.now(), wait=timedelta(0))
    batch = Batch.objects.create(provider=9, lane=Lane.ALERT, not_before=db.now(), size=people)
    for who in Subscriber.objects.order_by("id")[:people]:
        made = Delivery.objects.create(occasion_id=1, subscriber=who, edition_id=1, batch=batch)
        print(made.id)


if __name__ == "__main__":
    _plan(int(sys.argv[1]))
