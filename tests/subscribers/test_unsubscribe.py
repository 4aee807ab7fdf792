"""Unsubscribing with one link and no other, and taking it back."""

import pytest

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Notice, SignUpRequest, Subscriber, Subscription
from newsletter.subscribers import manage_link, preferences
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.manage_link import renew
from newsletter.subscribers.sign_up import SignedUp
from newsletter.subscribers.tokens import Expired, InvalidToken
from newsletter.subscribers.unsubscribe import (
    Resubscribed,
    Unsubscribed,
    is_unsubscribe_link,
    undo,
    undoable,
    unsubscribe,
)
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


@pytest.fixture
def anna():
    press(token(ask(Choices((topic().id, topic("Huawei").id)))))
    return Subscriber.objects.get()


def notice_id(kind):
    return Notice.objects.get(kind=kind).id


@pytest.mark.parametrize("reason", ["reader", "one-click"])
def test_unsubscribe_ends_everything_and_undo_restores_it(anna, reason):
    link = lasting("unsubscribe", anna)
    done = unsubscribe(link, reason=reason, **now_and_vault(NOW + HOUR))
    assert isinstance(done, Unsubscribed) and done.ended == 2
    assert not live().exists()
    assert set(Subscription.objects.values_list("ended_reason", "ended_at")) == {(reason, NOW + HOUR)}
    assert Subscriber.objects.get().state == "left"
    assert undo(done.undo_token, **now_and_vault(NOW + DAY)) == Resubscribed(anna.id, 2, notice_id("resumed"))
    assert live().count() == 2 and Subscriber.objects.get().state == "active"
    assert undo(done.undo_token, **now_and_vault(NOW + DAY)) == Resubscribed(anna.id, 0)


def test_unsubscribing_twice_offers_no_second_undo(anna):
    link = lasting("unsubscribe", anna)
    first = unsubscribe(link, **now_and_vault(NOW + HOUR))
    assert unsubscribe(link, **now_and_vault(NOW + DAY)) == Unsubscribed(anna.id, 0, None)
    assert undo(first.undo_token, **now_and_vault(NOW + DAY)).restored == 2


def test_old_undo_is_invalid_after_unsubscribing_again(anna):
    link = lasting("unsubscribe", anna)
    first = unsubscribe(link, **now_and_vault(NOW + HOUR))
    undo(first.undo_token, **now_and_vault(NOW + 2 * HOUR))
    unsubscribe(link, **now_and_vault(NOW + 3 * HOUR))
    assert not undoable(first.undo_token, **now_and_vault(NOW + DAY))
    assert undo(first.undo_token, **now_and_vault(NOW + DAY)) == InvalidToken()
    assert Subscriber.objects.get().state == "left" and not live().exists()


def test_old_undo_is_invalid_after_signing_up_and_leaving_again(anna):
    first = unsubscribe(lasting("unsubscribe", anna), **now_and_vault(NOW + HOUR))
    press(token(ask(Choices((topic("Russia").id,)), now=NOW + DAY)), NOW + DAY)
    unsubscribe(lasting("unsubscribe", anna), **now_and_vault(NOW + 2 * DAY))
    assert undo(first.undo_token, **now_and_vault(NOW + 3 * DAY)) == InvalidToken()
    assert not live().exists()


def test_undo_writes_one_notice_a_day(anna):
    link = lasting("unsubscribe", anna)

    def leave_and_return(hours):
        done = unsubscribe(link, **now_and_vault(NOW + hours * HOUR))
        return undo(done.undo_token, **now_and_vault(NOW + hours * HOUR))

    mailed = [leave_and_return(hours).notice_id is not None for hours in (1, 2, 3, 26)]
    assert mailed == [True, False, False, True]


def test_unsubscribe_expires_confirmations_and_drops_waiting_requests(anna):
    notice = ask(Choices((topic("Russia").id,)), now=NOW + HOUR)
    SignUpRequest.objects.create(
        kind="sign-up",
        handle=b"",
        key_id=1,
        cipher=b"",
        turn=1,
        created_at=NOW,
        address=index_of(ANNA, VAULT),
        waits_until=NOW + DAY,
    )
    unsubscribe(lasting("unsubscribe", anna), **now_and_vault(NOW + 2 * HOUR))
    assert press(token(notice), NOW + 3 * HOUR) == Expired()
    assert renew(token(notice), **now_and_vault(NOW + 3 * HOUR)) == SignedUp(None)
    assert not SignUpRequest.objects.exists() and Subscriber.objects.get().state == "left"


def test_undo_restores_only_what_that_act_ended(anna):
    link = token(Notice.objects.get(id=manage_link.ask_by_address(ANNA, **now_and_vault()).notice_id))
    preferences.stop(link, live().first().id, **now_and_vault(NOW + HOUR), cancel_planned=cancel_nothing)
    done = unsubscribe(lasting("unsubscribe", anna), **now_and_vault(NOW + 2 * HOUR))
    assert done.ended == 1
    assert undo(done.undo_token, **now_and_vault(NOW + 3 * HOUR)).restored == 1
    assert live().count() == 1


def test_undo_expires_after_14_days(anna):
    done = unsubscribe(lasting("unsubscribe", anna), **now_and_vault())
    assert undoable(done.undo_token, **now_and_vault(NOW + 13 * DAY))
    assert not undoable(done.undo_token, **now_and_vault(NOW + 14 * DAY))
    assert undo(done.undo_token, **now_and_vault(NOW + 14 * DAY)) == InvalidToken()
    assert not live().exists()


def test_undo_after_signing_up_again_does_not_duplicate(anna):
    done = unsubscribe(lasting("unsubscribe", anna), **now_and_vault(NOW + HOUR))
    topic_id = Subscription.objects.first().topic_id
    press(token(ask(Choices((topic_id,)), now=NOW + DAY)), NOW + DAY)
    assert undo(done.undo_token, **now_and_vault(NOW + 2 * DAY)).restored == 1
    assert live().count() == 2


def test_tokens_of_other_purposes_do_not_unsubscribe(anna):
    link = lasting("unsubscribe", anna)
    for wrong in (lasting("ask", anna), VAULT.token("unsubscribe", anna.id + 1), link[:-1], "", "A" * 22, link + "A"):
        assert not is_unsubscribe_link(wrong, vault=VAULT)
        assert unsubscribe(wrong, **now_and_vault()) == InvalidToken()
        assert undo(wrong, **now_and_vault()) == InvalidToken()
    assert live().count() == 2
    assert is_unsubscribe_link(link, vault=VAULT)


def test_unsubscribe_affects_nobody_else(anna):
    press(token(ask(Choices((topic("Russia").id,)), Address("bob@example.org"))))
    unsubscribe(lasting("unsubscribe", anna), **now_and_vault())
    assert live().count() == 1
