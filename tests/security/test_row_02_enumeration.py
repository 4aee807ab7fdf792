"""Row 2: neither page, status, size nor work of a request tells whether an address is subscribed.

How long answers take over the real server is measured by `make timing` (tests/security/timing.py).
"""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter import wiring
from newsletter.lib import clock
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Notice, SignUpRequest, Subscriber, Suppression
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.form_requests import queue
from newsletter.worker import sign_ups
from tests.web.conftest import ANNA, signing_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def everybody(client, topics, anna, monkeypatch):
    """An address of each class: new, active, pending, left, erased, called spam."""
    for address, reason in (("erased0000@example.org", "erased"), ("angry00000@example.org", "complaint")):
        index = index_of(Address(address), wiring.vault())
        Suppression.objects.create(address_index=index, reason=reason, sticky=True, since=clock.utcnow())
    for address in ("pending000@example.org", "left000000@example.org"):
        client.post("/", signing_up(topics, address=address))
    sign_ups.decide()
    left = Subscriber.objects.filter(address_index=index_of(Address("left000000@example.org"), wiring.vault()))
    left.update(state="left")
    queue._room.left()
    monkeypatch.setattr(queue, "_RECOUNT_AFTER", float("inf"))  # whether there is room is asked by time, not by address
    return [
        "new0000000@example.org",
        ANNA.value,
        "pending000@example.org",
        "left000000@example.org",
        "erased0000@example.org",
        "angry00000@example.org",
    ]


@pytest.mark.parametrize("path", ["/", "/preferences"])
def test_the_answer_is_the_same_for_every_class(client, topics, everybody, path):
    seen = set()
    for address in everybody:
        page = client.post(path, signing_up(topics, address=address))
        shown = client.get(page.headers["Location"])
        seen.add(str((page.status_code, sorted(page.headers.items()), page.content, shown.content)))
    assert len(seen) == 1


@pytest.mark.parametrize("path", ["/", "/preferences"])
def test_the_request_asks_the_database_the_same_for_every_class(client, topics, everybody, path):
    """The same statements in the same order, rows of the same size, and no look at who it is."""
    seen, sizes = set(), set()
    for address in everybody:
        with CaptureQueriesContext(connection) as asked:
            client.post(path, signing_up(topics, address=address))
        statements = tuple(re.split(r"VALUES|SAVEPOINT", one["sql"])[0] for one in asked.captured_queries)
        seen.add(statements)
        sizes.add(len(bytes(SignUpRequest.objects.latest("id").cipher)))
    assert len(seen) == len(sizes) == 1
    told = " ".join(next(iter(seen)))
    assert "sign_up_request" in told
    assert not any(f'"{table}"' in told for table in ("subscriber", "suppression", "notice", "mailbox_limit"))


def test_nothing_follows_before_a_worker_decides(client, topics, everybody):
    before = Notice.objects.count(), Subscriber.objects.count()
    for address in everybody:
        client.post("/", signing_up(topics, address=address))
    assert (Notice.objects.count(), Subscriber.objects.count()) == before
    sign_ups.decide()
    assert Notice.objects.count() > before[0]
