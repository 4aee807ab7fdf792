"""Signing up: one mail, no subscription before the answer, and the same answer for everybody."""

from dataclasses import replace
from functools import partial

import pytest

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Notice, Subscriber, Subscription, Suppression, Topic
from newsletter.subscribers.choices import Choices, MailTime, from_json
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.limits.mailbox_limit import rate_limited
from newsletter.subscribers.sign_up import SAME_VISIT, SignedUp, sign_up
from tests.subscribers.helpers import (
    ANNA,
    DAY,
    HOUR,
    NOW,
    VAULT,
    ask,
    at_once,
    keyword_topic,
    press,
    subscribing,
    token,
    topic,
)

pytestmark = pytest.mark.django_db


def opened(notice):
    return from_json(VAULT.decrypt(notice.key_id, notice.choices_cipher, handle=bytes(notice.nonce), column="choices"))


def suppress(**values):
    Suppression.objects.create(address_index=index_of(ANNA, VAULT), since=NOW, **values)


def test_new_address_gets_confirmation_and_nothing_else():
    choices = Choices((topic().id,), ("Zzyzx",))
    notice = ask(choices)
    person = Subscriber.objects.get()
    assert (notice.kind, notice.planned_at, person.state) == ("confirm", None, "pending")
    assert notice.expires_at == NOW + 7 * DAY
    assert opened(notice) == choices
    assert not Subscription.objects.exists()
    assert not Topic.objects.filter(kind="own").exists()
    assert (
        VAULT.decrypt(person.key_id, person.address_cipher, handle=person.handle.bytes, column="address") == ANNA.value
    )


def test_address_and_keyword_are_encrypted_in_every_column():
    ask(Choices((), ("Zzyzx",)))
    for model in (Subscriber, Notice):
        for row in model.objects.values():
            shown = " ".join(
                bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v) for v in row.values()
            )
            assert "anna" not in shown and "Zzyzx" not in shown


def test_many_sign_ups_are_one_mail_with_the_last_choices():
    written = [ask(Choices(mail_time=MailTime(hour=n % 24))) for n in range(100)]
    assert [bool(notice) for notice in written] == [True] + [False] * 99
    assert Notice.objects.count() == 1
    assert opened(Notice.objects.get()).mail_time.hour == 99 % 24


def test_unanswered_mails_back_off_while_one_working_link_is_in_the_mailbox():
    sent = [hours / 4 for hours in range(4 * 40) if ask(Choices(), now=NOW + hours * DAY / 4)]
    assert sent == [0, 1, 4, 11, 18, 25, 32, 39]
    for day in range(39):
        assert Notice.objects.filter(created_at__lte=NOW + day * DAY, expires_at__gt=NOW + day * DAY).exists(), day


def test_limit_resets_after_30_days():
    assert [day for day in (0, 1, 4, 34, 35) if ask(Choices(), now=NOW + day * DAY)] == [0, 1, 4, 34, 35]


def test_sign_up_within_same_visit_replaces_choices_and_later_one_waits():
    ask(Choices())
    soon = sign_up(ANNA, Choices(mail_time=MailTime(hour=5)), subscribing(NOW + SAME_VISIT - HOUR / 60))
    later = sign_up(ANNA, Choices(mail_time=MailTime(hour=6)), subscribing(NOW + SAME_VISIT))
    assert soon == SignedUp(None)
    assert later == SignedUp(None, rate_limited(ANNA, NOW + DAY, VAULT))
    assert opened(Notice.objects.get()).mail_time.hour == 6


def test_other_plus_tag_waits_and_creates_no_subscriber():
    ask(Choices())
    done = sign_up(Address("anna+2@example.org"), Choices(), subscribing(NOW))
    assert done.notice_id is None and done.limited.until == NOW + DAY
    assert Subscriber.objects.count() == Notice.objects.count() == 1


def test_answered_notice_does_not_count():
    assert press(token(ask(Choices((topic().id,)))))
    again = ask(Choices((topic("Huawei").id,)), now=NOW + HOUR)
    assert again is not None and again.kind == "add"
    assert ask(Choices(), now=NOW + 2 * HOUR) is None


def test_active_subscriber_is_asked_whether_to_add():
    press(token(ask(Choices((topic().id,)))))
    before = Subscription.objects.count()
    notice = ask(Choices((topic("Huawei").id,)), now=NOW + DAY)
    assert notice.kind == "add"
    assert Subscription.objects.count() == before
    assert Subscriber.objects.count() == 1


def test_left_subscriber_is_asked_like_a_new_one():
    press(token(ask(Choices())))
    Subscriber.objects.update(state="left")
    assert ask(Choices(), now=NOW + HOUR).kind == "confirm"
    assert Subscriber.objects.get().state == "pending"


@pytest.mark.parametrize("values", [{"reason": "complaint", "sticky": True}, {"reason": "erased", "sticky": False}])
def test_permanent_suppression_gets_nothing(values):
    suppress(**values)
    assert ask(Choices()) is None
    assert not Notice.objects.exists() and not Subscriber.objects.exists()


@pytest.mark.parametrize("values", [{"reason": "bounce"}, {"reason": "erased", "sticky": True, "lifted_at": NOW}])
def test_other_suppressions_do_not_prevent_confirmation(values):
    suppress(**values)
    assert ask(Choices()) is not None


def test_address_in_other_case_is_the_same_subscriber():
    ask(Choices())
    assert ask(Choices(), Address("Anna@example.org")) is None
    assert Subscriber.objects.count() == 1


def test_answered_notice_takes_no_new_choices():
    first = ask(Choices(mail_time=MailTime(hour=5)))
    press(token(first))
    ask(replace(Choices(), mail_time=MailTime(hour=6)), now=NOW + HOUR)
    first.refresh_from_db()
    assert first.choices_cipher is None  # what was answered holds no choices any more, and takes no new ones


@pytest.mark.django_db(transaction=True)
def test_concurrent_sign_ups_are_one_subscriber_and_one_mail():
    works = [partial(sign_up, ANNA, Choices(mail_time=MailTime(hour=n)), subscribing(NOW)) for n in range(8)]
    answers = at_once(works)
    assert len(answers) == 8 and all(isinstance(answer, SignedUp) for answer in answers)
    assert sum(answer.notice_id is not None for answer in answers) == 1
    assert (Subscriber.objects.count(), Notice.objects.count()) == (1, 1)


def test_keyword_topic_is_created_by_confirming():
    notice = ask(Choices((), ("Zzyzx",)))
    press(token(notice))
    assert Subscription.objects.get().topic_id == keyword_topic("zzyzx")
