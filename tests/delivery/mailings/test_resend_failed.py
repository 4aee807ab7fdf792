"""Send those that failed: what the provider refused goes again; mail in doubt and dead mailboxes never do."""

import pytest

from newsletter.audit import actor
from newsletter.delivery.ledger.resend import OperatorNote, ResendResult, resolve
from newsletter.delivery.mailings.resend_failed import count_resendable, resend_failed
from newsletter.delivery.mailings.sums import MailingSums, sums_of
from newsletter.lib.mail.provider_interface import Accepted, Rejected, Unknown
from newsletter.lib.mail.references import reference
from newsletter.lib.refused import Refused
from newsletter.models import AuditEntry, Delivery, EditionBody
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import REQUEST, run
from tests.delivery.mailings.mailing_rows import mailing

pytestmark = pytest.mark.django_db
BY = actor.Actor("admin", "olga")
NOTE = OperatorNote("olga", "the sender is verified now")


@pytest.fixture(autouse=True)
def _gate(db):
    factories.open_gate()


def resend(occasion):
    return resend_failed(occasion.id, NOTE, actor=BY, now=factories.NOW)


def test_a_request_that_was_refused_goes_once_more():
    occasion = mailing(4, provider=REQUEST)
    refusing = ScriptedProvider(lambda _parcel: Rejected("400"), number=3)
    run(refusing)
    assert count_resendable(occasion.id) == 4 and resend(occasion) == ResendResult(4)
    taking = ScriptedProvider(lambda _parcel: Accepted(), number=3)
    assert len(run(taking)) == 4 and all("second" not in parcel.letter.text for parcel in taking.handed)
    assert sums_of([occasion.id])[occasion.id] == MailingSums(accepted=4)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("mailing.resend", NOTE.why)
    assert resend(occasion) == Refused("none of its failed mails can be sent again")


def test_a_recipient_that_was_refused_and_mail_in_doubt_stay():
    occasion = mailing(4)
    first = Delivery.objects.order_by("id").values_list("id", flat=True)[0]
    answers = {
        0: Rejected("RCPT", recipient_status="5.1.1"),
        1: Rejected("554 no"),
        2: Unknown("no answer"),
        3: Accepted(),
    }
    run(ScriptedProvider(lambda parcel: answers[parcel.delivery_id - first], window=10, number=1))
    assert resend(occasion) == ResendResult(1)
    assert sums_of([occasion.id])[occasion.id] == MailingSums(accepted=1, failed=1, unknown=1, waiting=1)


def test_mail_that_somebody_resolved_as_failed_stays():
    occasion = mailing(2, provider=REQUEST)
    run(ScriptedProvider(lambda _parcel: Unknown("no answer"), number=3))
    code = reference(Delivery.objects.order_by("id")[0].id, factories.VAULT)
    resolve(code, False, NOTE, now=factories.NOW, vault=factories.VAULT, actor=BY, whole=True)
    assert sums_of([occasion.id])[occasion.id].failed == 2 and count_resendable(occasion.id) == 0


def test_mail_without_words_stays_and_a_reason_is_asked_for():
    occasion = mailing(2, provider=REQUEST)
    run(ScriptedProvider(lambda _parcel: Rejected("400"), number=3))
    assert isinstance(resend_failed(occasion.id, OperatorNote("olga", ""), actor=BY, now=factories.NOW), Refused)
    EditionBody.objects.all().delete()
    assert isinstance(resend(occasion), Refused)
