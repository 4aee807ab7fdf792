"""Row 52: nobody changes the audit log. The database refuses every change, and deletes nothing younger than two years."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from newsletter.audit import retention
from newsletter.audit.record import Thing, record
from newsletter.lib import db
from newsletter.lib.progress import never_stop
from newsletter.models import AuditEntry
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor='x'", "DELETE FROM audit_entry"])
def test_the_database_refuses(statement: str) -> None:
    record(ACTOR, "feed.add", Thing("feed", 7), now=db.now() - timedelta(days=729))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.get().actor == ACTOR.name


def test_rows_go_after_two_years() -> None:
    for days in (729, 732):
        record(ACTOR, "feed.add", Thing("feed", days), now=db.now() - timedelta(days=days))
    (rule,) = retention.RULES
    assert rule.prune is not None
    assert rule.prune(db.now(), never_stop) == {"audit_entry": 1}
    assert AuditEntry.objects.get().object_id == 729


def test_a_reason_with_an_address_is_refused_by_the_database_too() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        record(ACTOR, "subscriber.open", Thing("subscriber", 1), now=db.now(), reason="anna@example.org called")
