"""Requests of public forms: what is stored, in which order it is decided, what waits and what is deleted."""

import json
from datetime import timedelta
from ipaddress import ip_address

import pytest

from newsletter import wiring
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import MailboxLimit, NetworkCount, Notice, SignUpRequest, Subscriber
from newsletter.subscribers import confirm, lookup_and_erase, unsubscribe
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.form_requests import decide as decide_requests
from newsletter.subscribers.form_requests import queue
from newsletter.subscribers.form_requests.queue import put
from newsletter.subscribers.form_requests.values import LinkByAddress, LinkByToken, Renewal, SignUp
from newsletter.subscribers.limits import network_limit, notice_budget
from tests.factories import ACTOR
from tests.subscribers.helpers import (
    ANNA,
    DAY,
    HOUR,
    NOW,
    VAULT,
    ask,
    lasting,
    now_and_vault,
    press,
    subscribing,
    token,
    topic,
)  # fmt: skip

pytestmark = pytest.mark.django_db
Kind = SignUpRequest.Kind
CLIENT = ip_address("198.51.100.7")


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch):
    monkeypatch.setattr(queue, "_RECOUNT_AFTER", -1.0)


def sign_up(address=ANNA, choices=None, *, client=CLIENT, now=NOW):
    put(SignUp(address, choices or Choices()), client=client, now=now, vault=VAULT)


def decide(kind=Kind.SIGN_UP, now=NOW):
    """Decide all requests that are ready; returns what became of each."""
    queue.wake(now)
    decided = []
    while (result := decide_requests.decide_next(kind, subscribing(now))) is not None:
        decided.append(result)
    return decided


def numbered(number):
    return Address(f"n{number}@example.org")


def test_request_is_encrypted_and_deleted_once_decided():
    sign_up(ANNA, Choices((topic().id,), ("Zzyzx",)))
    row = SignUpRequest.objects.get()
    stored = b"".join(bytes(part) for part in (row.cipher, row.handle))
    assert b"anna" not in stored and b"Zzyzx" not in stored
    (done,) = decide()
    assert confirm.choices_of(Notice.objects.get(id=done.notice_id), VAULT).keywords == ("Zzyzx",)
    assert not SignUpRequest.objects.exists()


def test_network_count_cannot_be_linked_to_a_request():
    sign_up()
    counted, request = NetworkCount.objects.get(), SignUpRequest.objects.get()
    assert counted.hour == NOW.replace(minute=0) and bytes(counted.network) not in bytes(request.cipher)
    columns = {field.name for field in SignUpRequest._meta.fields}
    assert columns == {"id", "kind", "handle", "key_id", "cipher", "turn", "created_at", "waits_until", "address"}


def test_network_limit_is_per_hour_and_kind(monkeypatch):
    monkeypatch.setattr(network_limit, "MOST", 3)
    for number in range(5):
        sign_up(numbered(number))
    put(LinkByAddress(ANNA), client=CLIENT, now=NOW, vault=VAULT)
    sign_up(numbered(9), client=ip_address("203.0.113.1"))
    assert sorted(SignUpRequest.objects.values_list("kind", "turn")) == [
        ("link", 1), ("sign-up", 1), ("sign-up", 1), ("sign-up", 2), ("sign-up", 3),
    ]  # fmt: skip
    later = NOW + HOUR
    sign_up(numbered(10), now=later)
    assert SignUpRequest.objects.count() == 6
    network_limit.prune(later)
    assert NetworkCount.objects.get().hour == later.replace(minute=0)


def test_unknown_clients_have_no_limit(monkeypatch):
    monkeypatch.setattr(network_limit, "MOST", 3)
    for number in range(5):
        sign_up(numbered(number), client=None)
    assert SignUpRequest.objects.count() == 5


def test_first_request_of_each_network_comes_before_second_of_any():
    for number in range(3):
        sign_up(numbered(number))
    sign_up(ANNA, client=ip_address("203.0.113.1"))
    done = [decide_one() for _ in range(4)]
    people = [Subscriber.objects.get(notice__id=result.notice_id) for result in done]
    assert [bytes(person.address_index) for person in people] == [
        VAULT.blind_index("address", address.value) for address in (numbered(0), ANNA, numbered(1), numbered(2))
    ]


def decide_one(kind=Kind.SIGN_UP, now=NOW):
    return decide_requests.decide_next(kind, subscribing(now))


def test_requests_over_budget_wait_and_go_out_slowly(monkeypatch):
    monkeypatch.setitem(notice_budget.PER_HOUR, Kind.SIGN_UP, 12)
    for number in range(10):
        sign_up(numbered(number), client=ip_address(f"203.0.{number}.1"))
    assert len(decide()) == 3 and SignUpRequest.objects.count() == 7
    assert decide(now=NOW + timedelta(minutes=4)) == []
    assert len(decide(now=NOW + timedelta(minutes=5))) == 1
    assert len(decide(now=NOW + timedelta(minutes=15))) == 2
    assert len(decide(now=NOW + HOUR)) == 3
    assert len(decide(now=NOW + 2 * HOUR)) == 1 and not SignUpRequest.objects.exists()


def test_sign_ups_do_not_delay_links_of_subscribers(monkeypatch):
    press(token(ask(Choices((topic().id,)))))
    person = Subscriber.objects.get()
    monkeypatch.setitem(notice_budget.PER_HOUR, Kind.SIGN_UP, 4)
    for number in range(3):
        sign_up(numbered(number))
    put(LinkByAddress(ANNA), client=CLIENT, now=NOW, vault=VAULT)
    put(LinkByToken(lasting("ask", person)), client=CLIENT, now=NOW, vault=VAULT)
    assert len(decide()) == 1
    assert [bool(result.notice_id) for result in decide(Kind.LINK) + decide(Kind.HOLDER)] == [True, True]


def test_links_for_unknown_addresses_spend_no_budget(monkeypatch):
    monkeypatch.setitem(notice_budget.PER_HOUR, Kind.LINK, 4)
    press(token(ask(Choices((topic().id,)))))
    for number in range(20):
        put(LinkByAddress(numbered(number)), client=None, now=NOW, vault=VAULT)
    put(LinkByAddress(ANNA), client=None, now=NOW, vault=VAULT)
    assert sum(result.notice_id is not None for result in decide(Kind.LINK)) == 1
    assert not SignUpRequest.objects.exists()


@pytest.mark.no_cover
def test_flood_for_one_mailbox_sends_one_mail():
    """From two hundred networks, with many tags, over half a day."""
    for number in range(400):
        moment = NOW + number * HOUR / 32
        sign_up(Address(f"anna+{number % 7}@example.org"), client=ip_address(f"203.0.{number % 200}.1"), now=moment)
        decide(now=moment)
    assert Notice.objects.count() == 1 and SignUpRequest.objects.count() == 7, "one of each address waits"
    mails = []
    for day in range(1, 31):
        queue.prune(NOW + day * DAY)
        mails += [day for done in decide(now=NOW + day * DAY) if done.notice_id]
    assert mails == [1, 4]


def test_last_sign_up_of_a_limited_mailbox_is_mailed_after_the_wait():
    sign_up(ANNA, Choices(mail_time=MailTime(hour=1)))
    decide()
    sign_up(ANNA, Choices(mail_time=MailTime(hour=22)), now=NOW + 6 * HOUR)
    assert decide(now=NOW + 6 * HOUR)[0].limited.until == NOW + DAY
    assert decide(now=NOW + DAY - timedelta(seconds=1)) == []
    (done,) = decide(now=NOW + DAY)
    assert confirm.choices_of(Notice.objects.get(id=done.notice_id), VAULT).mail_time.hour == 22


def test_requests_with_plus_tags_come_after_the_plain_address():
    tagged = [Address(f"anna+{number}@example.org") for number in range(4)]
    sign_up(tagged[0], client=numbered_client(1))
    decide()
    for hour, address in enumerate([tagged[1], ANNA, tagged[2], tagged[3]], 2):
        sign_up(address, client=numbered_client(hour), now=NOW + hour * HOUR)
        assert [done.notice_id for done in decide(now=NOW + hour * HOUR)] == [None]
    assert SignUpRequest.objects.count() == 4
    (first, *others) = decide(now=NOW + DAY + HOUR)
    assert Notice.objects.get(id=first.notice_id).subscriber.address_index == index_of(ANNA, VAULT)
    assert [done.notice_id for done in others] == [None, None, None]


def numbered_client(number):
    return ip_address(f"198.51.{number}.7")


def test_confirming_drops_waiting_requests_and_resets_limit():
    sign_up()
    (first,) = decide()
    sign_up(now=NOW + 2 * HOUR)
    decide(now=NOW + 2 * HOUR)
    assert SignUpRequest.objects.count() == MailboxLimit.objects.count() == 1
    press(token(Notice.objects.get(id=first.notice_id)), NOW + 3 * HOUR)
    assert not SignUpRequest.objects.exists() and not MailboxLimit.objects.exists()


def test_erasing_drops_waiting_requests():
    sign_up()
    decide()
    sign_up(now=NOW + 2 * HOUR)
    decide(now=NOW + 2 * HOUR)
    assert lookup_and_erase.erase(ANNA, now=NOW + 3 * HOUR, vault=VAULT, forget=wiring.forget, actor=ACTOR)
    assert not SignUpRequest.objects.exists() and not MailboxLimit.objects.exists()


def test_undecryptable_request_is_put_off_and_blocks_no_other():
    sign_up(numbered(1))
    SignUpRequest.objects.update(cipher=b"x" * 40)
    sign_up(numbered(2))
    assert [result.notice_id is not None for result in decide()] == [False, True]
    row = SignUpRequest.objects.get()
    assert row.waits_until == NOW + timedelta(minutes=10)
    assert queue.prune(NOW + 8 * DAY) == 0 and queue.prune(NOW + 9 * DAY) == 1


def test_trim_deletes_newest_requests_of_busiest_networks(monkeypatch):
    monkeypatch.setattr(queue, "MOST_READY", 5)
    for number in range(6):
        sign_up(numbered(number))
    sign_up(ANNA, client=ip_address("203.0.113.1"))
    assert queue.trim() == 2
    assert sorted(SignUpRequest.objects.values_list("turn", flat=True)) == [1, 1, 2, 3, 4]


def test_table_size_is_bounded_without_workers(monkeypatch):
    monkeypatch.setattr(queue, "MOST_STORED", 5)
    for number in range(9):
        sign_up(numbered(number), client=None)
    assert SignUpRequest.objects.count() == 5


def test_expired_link_is_renewed_through_the_queue():
    notice = ask(Choices(mail_time=MailTime(hour=5)))
    late = NOW + 8 * DAY
    put(Renewal(token(notice)), client=None, now=late, vault=VAULT)
    put(Renewal("A" * 22), client=None, now=late, vault=VAULT)
    assert [result.notice_id is not None for result in decide(Kind.HOLDER, now=late)] == [True, False]


def test_request_of_a_later_version_is_put_off():
    handle = b"h" * 16
    key_id, cipher = VAULT.encrypt(json.dumps({"type": "Later"}), handle=handle, column="request")
    SignUpRequest.objects.create(kind=Kind.SIGN_UP, handle=handle, key_id=key_id, cipher=cipher, turn=1, created_at=NOW)
    decide()
    assert SignUpRequest.objects.get().waits_until is not None


def test_unsubscribing_drops_waiting_requests_of_strangers():
    sign_up()
    decide()
    sign_up(now=NOW + 2 * HOUR)
    decide(now=NOW + 2 * HOUR)
    unsubscribe.unsubscribe(lasting("unsubscribe", Subscriber.objects.get()), **now_and_vault(NOW + 3 * HOUR))
    assert decide(now=NOW + DAY) == [] and MailboxLimit.objects.exists()
