"""Links by mail: who gets one, how often, and what renews an expired one."""

import pytest

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Notice, Subscriber, Subscription, Suppression
from newsletter.subscribers import manage_link, preferences
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.confirm import preview_confirmation
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.manage_link import renew
from newsletter.subscribers.sign_up import SignedUp
from newsletter.subscribers.tokens import Expired, InvalidToken
from tests.subscribers.helpers import (
    ANNA,
    DAY,
    HOUR,
    NOW,
    VAULT,
    ask,
    cancel_nothing,
    lasting,
    live,
    now_and_vault,
    press,
    token,
    topic,
)

pytestmark = pytest.mark.django_db


def test_manage_link_is_mailed_to_active_subscribers_only(anna):
    assert manage_link.ask_by_address(Address("nobody@example.org"), **now_and_vault()).notice_id is None
    for state in ("pending", "left"):
        Subscriber.objects.update(state=state)
        assert manage_link.ask_by_address(ANNA, **now_and_vault()).notice_id is None
    Subscriber.objects.update(state="active")
    Suppression.objects.create(address_index=index_of(ANNA, VAULT), reason="complaint", sticky=True, since=NOW)
    assert manage_link.ask_by_address(ANNA, **now_and_vault()).notice_id is None
    Suppression.objects.update(lifted_at=NOW)
    assert Notice.objects.get(id=manage_link.ask_by_address(ANNA, **now_and_vault()).notice_id).expires_at == NOW + DAY


def test_requests_by_address_back_off(anna):
    sent = [
        day / 2 for day in range(40) if manage_link.ask_by_address(ANNA, **now_and_vault(NOW + day * DAY / 2)).notice_id
    ]
    assert sent == [0, 1, 4, 11, 18]


def test_using_the_link_resets_the_limit(anna, link):
    assert manage_link.ask_by_address(ANNA, **now_and_vault(NOW + HOUR)).limited is not None
    preferences.stop(link, live().first().id, **now_and_vault(NOW + HOUR), cancel_planned=cancel_nothing)
    assert manage_link.ask_by_address(ANNA, **now_and_vault(NOW + HOUR)).notice_id


def test_footer_link_has_higher_limit_and_dies_with_link_epoch(anna):
    foot = lasting("ask", anna)
    assert manage_link.is_ask_link(foot, vault=VAULT)
    assert sum(manage_link.ask_by_token(foot, **now_and_vault()).notice_id is not None for _ in range(9)) == 3
    Subscriber.objects.update(link_epoch=1)
    assert not manage_link.is_ask_link(foot, vault=VAULT)
    assert manage_link.ask_by_token(foot, **now_and_vault(NOW + DAY)) == InvalidToken()


def test_expired_confirmation_can_be_renewed():
    notice = ask(Choices((topic().id,), mail_time=MailTime(hour=5)))
    late = NOW + 7 * DAY
    assert press(token(notice), late) == Expired() == preview_confirmation(token(notice), **now_and_vault(late))
    assert not Subscription.objects.exists()
    renewed = renew(token(notice), **now_and_vault(late))
    assert isinstance(renewed, SignedUp) and renewed.notice_id
    new = Notice.objects.get(id=renewed.notice_id)
    assert preview_confirmation(token(new), **now_and_vault(late)).choices.mail_time.hour == 5


def test_only_expired_links_are_renewed_and_within_limits():
    notice = ask(Choices())
    assert renew(token(notice), **now_and_vault()) == InvalidToken()
    assert renew("x" * 22, **now_and_vault()) == InvalidToken()
    late = NOW + 40 * DAY
    sent = [renew(token(notice), **now_and_vault(late)).notice_id for _ in range(5)]
    assert [bool(number) for number in sent] == [True, True, True, False, False]
