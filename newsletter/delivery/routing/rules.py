"""Who is owed a mail in, the provider that carries it out: by the domain of their address, and by a share of the people.

Where a person's mail goes hangs on a keyed hash of their number alone, so that a growing share only adds people and moves nobody
back. Domains are stored nowhere: where a route names one, addresses are opened for a moment, once for a chunk of people.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from newsletter.delivery.ledger.plan import Share
from newsletter.delivery.ledger.recipient_domains import recipient_domains
from newsletter.lib.crypto import Vault
from newsletter.models import Route

#: The route of all domains that have none of their own.
EVERYBODY = "*"


@dataclass(frozen=True)
class RoutingRule:
    """`share` percent of the people of `domain` go by `provider`, the rest by the other one."""

    domain: str
    provider: int
    share: int = 100


def routing_rules() -> list[RoutingRule]:
    """What operators chose, that of everybody last."""
    found = [RoutingRule(one.domain, one.provider, one.share) for one in Route.objects.order_by("domain")]
    return sorted(found, key=lambda rule: rule.domain == EVERYBODY)


def store_rule(rule: RoutingRule) -> None:
    """Let what is planned from now on follow this rule."""
    Route.objects.update_or_create(domain=rule.domain, defaults={"provider": rule.provider, "share": rule.share})


def delete_rule(domain: str) -> bool:
    """Drop the rule of a domain; False when there was none."""
    return bool(Route.objects.filter(domain=domain).delete()[0])


def split_by_provider(shares: Sequence[Share], providers: Sequence[int], vault: Vault) -> dict[int, list[Share]]:
    """The same people under the providers that carry them; the first of `providers` (all configured) is for whom no rule names.

    A rule for a provider that is not configured is left out. What is parked stays with the first.
    """
    chosen = {one.domain: one for one in routing_rules() if one.provider in providers} if len(providers) == 2 else {}
    if not chosen:
        return {providers[0]: list(shares)}
    owed = [share for share in shares if share.parked is None]
    by_provider = _Router(providers, chosen, vault).sort(person for share in owed for person in share.subscriber_ids)
    found: dict[int, list[Share]] = {number: [] for number in providers}
    found[providers[0]] += [share for share in shares if share.parked is not None]
    for share in owed:
        for number, people in by_provider.items():
            theirs = [person for person in share.subscriber_ids if person in people]
            if theirs:
                found[number].append(Share(share.edition_id, theirs))
    return {number: some for number, some in found.items() if some}


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
        known = recipient_domains(people, self._vault) if self._cuts else {}
        found: dict[int, set[int]] = {low: set(), high: set()}
        for person in people:
            cut = self._cuts.get(known.get(person, ""), self._everybody)
            found[high if self._is_below(person, cut) else low].add(person)
        return found

    def _cut(self, rule: RoutingRule) -> int:
        """The percent that goes by the provider with the higher number, whichever of the two an operator spoke of."""
        return rule.share if rule.provider == max(self._providers) else 100 - rule.share

    def _is_below(self, person: int, cut: int) -> bool:
        """Whether a person stands below the cut; the place of each in the row is always the same."""
        if cut in (0, 100):
            return cut == 100
        place = int.from_bytes(self._vault.blind_index("route", str(person))[:8])
        return place < (cut << 64) // 100


def unused_rules(providers: Collection[int]) -> list[RoutingRule]:
    """Rules that are left out at present: their provider is not configured."""
    return [one for one in routing_rules() if one.provider not in providers]
