"""Who carries whose mail: shares that grow move people once, routes go by domain, and each delivery is planned once."""

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.ledger.plan import Share
from newsletter.delivery.routing import rules
from newsletter.delivery.routing.rules import RoutingRule
from newsletter.lib.crypto import Vault
from newsletter.models import Subscriber
from tests import factories
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db

SMTP, SENDGRID = 2, 3
BOTH = [SMTP, SENDGRID]


def people(provider: int, ids: list[int], providers: list[int] = BOTH, vault: Vault = factories.VAULT) -> set[int]:
    found = rules.split_by_provider([Share(7, ids)], providers, vault)
    return {person for share in found.get(provider, []) for person in share.subscriber_ids}


def test_a_growing_share_takes_people_along_and_sends_nobody_back() -> None:
    ids = list(range(1, 2001))
    before: set[int] = set()
    for share in (0, 10, 50, 100):
        rules.store_rule(RoutingRule("*", SENDGRID, share), now=NOW, actor=ACTOR)
        now = people(SENDGRID, ids)
        assert before <= now
        assert abs(len(now) / len(ids) - share / 100) < 0.04
        assert people(SMTP, ids) == set(ids) - now
        before = now
    # said of the other provider it is the same row of people
    rules.store_rule(RoutingRule("*", SENDGRID, 30), now=NOW, actor=ACTOR)
    thirty = people(SENDGRID, ids)
    rules.store_rule(RoutingRule("*", SMTP, 70), now=NOW, actor=ACTOR)
    assert people(SENDGRID, ids) == thirty
    # and the same whichever of the two is named first in the settings
    assert people(SENDGRID, ids, BOTH[::-1]) == thirty


def test_without_the_key_nobody_can_tell_who_is_in_a_share() -> None:
    rules.store_rule(RoutingRule("*", SENDGRID, 50), now=NOW, actor=ACTOR)
    ids = list(range(1, 200))
    assert people(SENDGRID, ids) != people(SENDGRID, ids, vault=Vault(b"x", {1: bytes(32)}, bytes(32)))


def test_routes_go_by_the_domain_and_all_others_by_their_rule() -> None:
    addresses = ["a@gmail.com", "b@GMAIL.com", "c@mail.gmail.com", "d@example.org", "e@notgmail.com"]
    ids = [factories.subscriber(address).id for address in addresses]
    assert people(SMTP, ids) == set(ids)
    rules.store_rule(RoutingRule("gmail.com", SENDGRID), now=NOW, actor=ACTOR)
    assert people(SENDGRID, ids) == set(ids[:2])
    rules.store_rule(RoutingRule("*", SENDGRID), now=NOW, actor=ACTOR)
    rules.store_rule(RoutingRule("gmail.com", SMTP), now=NOW, actor=ACTOR)
    assert people(SMTP, ids) == set(ids[:2])
    assert [rule.domain for rule in rules.routing_rules()] == ["gmail.com", "*"]
    assert rules.delete_rule("gmail.com", now=NOW, actor=ACTOR) and not rules.delete_rule(
        "gmail.com", now=NOW, actor=ACTOR
    )
    assert people(SMTP, ids) == set()


def test_undecryptable_address_does_not_stop_the_others() -> None:
    ids = [factories.subscriber("a@gmail.com").id, factories.subscriber("b@gmail.com").id]
    Subscriber.objects.filter(id=ids[0]).update(address_cipher=b"broken")
    rules.store_rule(RoutingRule("gmail.com", SENDGRID), now=NOW, actor=ACTOR)
    assert (people(SENDGRID, ids), people(SMTP, ids)) == ({ids[1]}, {ids[0]})


def test_rules_for_a_provider_that_is_not_there_are_left_out_and_told() -> None:
    rules.store_rule(RoutingRule("*", SENDGRID, 100), now=NOW, actor=ACTOR)
    assert people(SMTP, [1, 2], [SMTP]) == {1, 2}
    assert people(SMTP, [1, 2], [SMTP, 12]) == {1, 2}
    assert rules.unused_rules([SMTP]) == [RoutingRule("*", SENDGRID, 100)]


def test_addresses_are_read_once_for_a_chunk_not_once_for_a_letter(django_assert_num_queries) -> None:
    ids = [factories.subscriber("a@gmail.com").id for _ in range(1)] + [factories.subscriber().id for _ in range(20)]
    rules.store_rule(RoutingRule("gmail.com", SENDGRID), now=NOW, actor=ACTOR)
    with django_assert_num_queries(2):
        rules.split_by_provider([Share(number, [number]) for number in ids], BOTH, factories.VAULT)


@given(
    letters=st.lists(st.tuples(st.lists(st.integers(0, 40), max_size=8), st.booleans()), max_size=6),
    share=st.integers(0, 100),
)
def test_everybody_is_planned_exactly_once(letters: list[tuple[list[int], bool]], share: int) -> None:
    shares = [
        Share(edition, [edition * 100 + one for one in sorted(set(some))], "broken" if parked else None)
        for edition, (some, parked) in enumerate(letters)
    ]
    with transaction.atomic():
        rules.store_rule(RoutingRule("*", SENDGRID, share), now=NOW, actor=ACTOR)
        found = rules.split_by_provider(shares, BOTH, factories.VAULT)
        transaction.set_rollback(True)
    planned = sorted(
        (one.edition_id, person, one.parked) for part in found.values() for one in part for person in one.subscriber_ids
    )
    assert planned == sorted((one.edition_id, person, one.parked) for one in shares for person in one.subscriber_ids)
