"""Choose the provider for each person by the operator's rules: by the domain of their address, and by a share of the people.

The choice depends on a keyed hash of the person's number alone, so a growing share only adds people and moves nobody back.
Domains are stored nowhere: where a rule names one, addresses are decrypted for a moment, once for a chunk of people.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record, record_difference
from newsletter.delivery.ledger.plan import Share
from newsletter.delivery.ledger.recipient_domains import recipient_domains
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_ids import name_of
from newsletter.models import Route

#: The rule of all domains that have none of their own.
EVERYBODY = "*"


@dataclass(frozen=True)
class RoutingRule:
    """`share` percent of the people of `domain` go by `provider`, the rest by the other one."""

    domain: str
    provider: int
    share: int = 100


def routing_rules() -> list[RoutingRule]:
    """The rules of operators, that of everybody last."""
    rules = [RoutingRule(row.domain, row.provider, row.share) for row in Route.objects.order_by("domain")]
    return sorted(rules, key=lambda rule: rule.domain == EVERYBODY)


def store_rule(rule: RoutingRule, *, now: datetime, actor: Actor) -> None:
    """Store a rule for mail planned from now on."""
    with transaction.atomic():
        stored = Route.objects.select_for_update().filter(domain=rule.domain).first()
        before = _shown(stored.provider, stored.share) if stored else {}
        Route.objects.update_or_create(domain=rule.domain, defaults={"provider": rule.provider, "share": rule.share})
        after = _shown(rule.provider, rule.share)
        thing = Thing("route", name=rule.domain)
        record_difference(actor, "route.choose", thing, now=now, before=before, after=after)


def delete_rule(domain: str, *, now: datetime, actor: Actor) -> bool:
    """Delete the rule of a domain. Returns False if there was none."""
    with transaction.atomic():
        stored = Route.objects.select_for_update().filter(domain=domain).first()
        if stored is None:
            return False
        stored.delete()
        before = _shown(stored.provider, stored.share)
        record(actor, "route.forget", Thing("route", name=domain), now=now, before=before)
        return True


def _shown(provider: int, share: int) -> dict[str, object]:
    return {"provider": name_of(provider), "share": share}


def split_by_provider(shares: Sequence[Share], providers: Sequence[int], vault: Vault) -> dict[int, list[Share]]:
    """The same people under the providers that carry them; the first of `providers` (all configured) is the default.

    A rule for a provider that is not configured is left out. What is parked stays with the first.
    """
    chosen = (
        {rule.domain: rule for rule in routing_rules() if rule.provider in providers} if len(providers) == 2 else {}
    )
    if not chosen:
        return {providers[0]: list(shares)}
    owed = [share for share in shares if share.parked is None]
    by_provider = _Router(providers, chosen, vault).sort(person for share in owed for person in share.subscriber_ids)
    split: dict[int, list[Share]] = {number: [] for number in providers}
    split[providers[0]] += [share for share in shares if share.parked is not None]
    for share in owed:
        for number, people in by_provider.items():
            theirs = [person for person in share.subscriber_ids if person in people]
            if theirs:
                split[number].append(Share(share.edition_id, theirs))
    return {number: shares for number, shares in split.items() if shares}


class _Router:
    """The rules, asked once for all people of a chunk."""

    def __init__(self, providers: Sequence[int], chosen: Mapping[str, RoutingRule], vault: Vault) -> None:
        self._providers, self._vault = providers, vault
        everybody = chosen.get(EVERYBODY, RoutingRule(EVERYBODY, providers[0]))
        self._everybody = self._cut(everybody)
        self._cuts = {domain: self._cut(rule) for domain, rule in chosen.items() if domain != EVERYBODY}

    def sort(self, people: Iterable[int]) -> dict[int, set[int]]:
        """The people under their providers."""
        people = list(people)
        low, high = sorted(self._providers)
        domains = recipient_domains(people, self._vault) if self._cuts else {}
        people_by: dict[int, set[int]] = {low: set(), high: set()}
        for person in people:
            cut = self._cuts.get(domains.get(person, ""), self._everybody)
            people_by[high if self._is_below(person, cut) else low].add(person)
        return people_by

    def _cut(self, rule: RoutingRule) -> int:
        """The percent that goes by the provider with the higher number, whichever of the two an operator spoke of."""
        return rule.share if rule.provider == max(self._providers) else 100 - rule.share

    def _is_below(self, person: int, cut: int) -> bool:
        """Whether a person's hash, which is always the same, lies below this percentage."""
        if cut in (0, 100):
            return cut == 100
        place = int.from_bytes(self._vault.blind_index("route", str(person))[:8])
        return place < (cut << 64) // 100


def share_of(provider: int, providers: Sequence[int], rules: Sequence[RoutingRule]) -> int:
    """The percent of people without a rule of their domain whose mail this provider carries; `providers` are the configured."""
    if len(providers) < 2:
        return 100 if provider in providers else 0
    for rule in rules:
        if rule.domain == EVERYBODY and rule.provider in providers:
            return rule.share if rule.provider == provider else 100 - rule.share
    return 100 if provider == providers[0] else 0


def unused_rules(providers: Collection[int]) -> list[RoutingRule]:
    """Rules that are not used at present because their provider is not configured."""
    return [rule for rule in routing_rules() if rule.provider not in providers]
