"""No address and no keyword of a reader on the pages of the desk, in its log lines, its sessions or the audit log."""

import logging

import pytest
from django.contrib.sessions.models import Session

from newsletter import wiring
from newsletter.lib.mail.references import reference
from newsletter.models import Admin, Delivery, Edition, Feed, Item, Message, Occasion, Subscriber, Topic
from tests import factories
from tests.web.conftest import ANNA, WORD
from tests.web.desk import installation
from tests.web.desk.conftest import make_admin, signed_in
from tests.web.desk.routes import address, desk_routes
from tests.web.public.link_helpers import dump

pytestmark = pytest.mark.django_db

#: The canary: a part of the address that stands nowhere else, and a keyword of the reader's own.
SECRETS = (ANNA.value, ANNA.value.partition("@")[0], WORD)


@pytest.fixture
def known(anna, topics) -> dict[str, object]:
    """A reader with a keyword of her own, among others, with mail in all states."""
    factories.open_gate()
    for topic in topics:
        factories.follow(factories.subscriber(), topic)
    installation.fill(items=40, words=[topic.name for topic in topics])
    newest = {
        "feed_id": Feed,
        "topic_id": Topic,
        "item_id": Item,
        "occasion_id": Occasion,
        "edition_id": Edition,
        "message_id": Message,
    }
    ids = {name: model.objects.latest("id").id for name, model in newest.items()}
    delivery = Delivery.objects.filter(subscriber=Subscriber.objects.get(id=anna.id)).latest("id")
    return {**ids, "reference": reference(delivery.id, wiring.vault()), "subscriber_id": anna.id}


@pytest.mark.parametrize("role", [Admin.Role.EDITOR, Admin.Role.OWNER])
def test_nobody_meets_an_address_or_a_keyword_who_did_not_ask_for_that_person(known, role, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    admin = make_admin("somebody", role)
    pages = []
    for route in desk_routes():
        for method in ("get", "post"):
            answer = getattr(signed_in(admin), method)(address(route, **known))
            body = b"".join(answer) if answer.streaming else answer.content
            pages.append((f"{method} {route.name}", body.decode(errors="replace") + repr(answer.headers)))
    for name, page in pages:
        assert not [secret for secret in SECRETS if secret in page], name
    lines = "".join(
        record.getMessage() + repr(record.__dict__) for record in caplog.records if "sql" not in record.__dict__
    )
    sessions = [session.get_decoded() for session in Session.objects.all()]
    kept = lines + "".join(capfd.readouterr()) + repr([dump()["audit_entry"], sessions])
    assert not [secret for secret in SECRETS if secret in kept]
