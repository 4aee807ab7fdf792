"""Row 4: mail scanners open every link of a mail, several times, before its reader does. Nothing changes by that."""

import pytest
from django.apps import apps
from django.db import connection
from django.urls import URLPattern, get_resolver, reverse

from newsletter import wiring
from newsletter.lib import clock
from newsletter.matching.topics import reader_feedback
from newsletter.models import Notice
from newsletter.subscribers import unsubscribe
from newsletter.worker import sign_ups
from tests import factories
from tests.web.conftest import notice_token, signing_up

pytestmark = pytest.mark.django_db


def everything() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables of ours."""
    found = {}
    for model in apps.get_app_config("newsletter").get_models():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            found[model._meta.db_table] = sorted(cursor.fetchall(), key=repr)
    return found


@pytest.fixture
def tokens(client, topics, anna, lasting, manage) -> list[str]:
    """A working one of every kind: each page is asked with each of them."""
    client.post("/", signing_up(topics))
    sign_ups.decide()
    left = factories.subscriber("left@example.org", vault=wiring.vault())
    factories.follow(left, topics[0])
    token = wiring.vault().token("unsubscribe", left.id, bytes(8))
    undo = unsubscribe.unsubscribe(token, now=clock.utcnow(), vault=wiring.vault()).undo_token
    confirm = notice_token(Notice.objects.get(kind="confirm"))
    topics[0].refresh_from_db()
    match = factories.match(factories.item(), topics[0])
    objection = reader_feedback.objection_token(match.item_id, match.topic_id, wiring.vault())
    return [lasting("unsubscribe"), lasting("ask"), manage, confirm, undo, objection]


def test_opening_every_link_three_times_changes_no_row(client, tokens) -> None:
    routes = [one for one in get_resolver().url_patterns if isinstance(one, URLPattern)]
    before, opened = everything(), set()
    for one in routes:
        for token in tokens if "<" in str(one.pattern) else [""]:
            for method in ("get", "head", "options", "get", "get"):
                answer = getattr(client, method)(reverse(one.name, args=[token] if token else []))
                assert answer.status_code in (200, 404, 405, 410, 503), one.name
                opened |= {one.name} if answer.status_code == 200 and method == "get" else set()
    assert everything() == before
    assert opened >= {"confirm", "preferences", "ask", "unsubscribe", "one_click", "undo", "objection"}, (
        "the links work"
    )
