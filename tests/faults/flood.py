"""S17: events of a mailing flood in while it is sent; what they lead to depends on which they are, not on how they came."""

import random
from typing import Any

from newsletter.lib.crypto import Vault
from tests.fakes.postman import MOST, post, said
from tests.fakes.sendgrid import Mail
from tests.faults import servers
from tests.faults.chaos import Chaos
from tests.faults.environment import Result, World
from tests.faults.workers import crew

#: What a snapshot holds: all that events lead to.
_TABLES = (
    "SELECT fingerprint, delivery_id, kind, at, detail FROM event ORDER BY fingerprint",
    "SELECT address_index, reason, sticky, since, lifted_at FROM suppression ORDER BY address_index",
    "SELECT delivery_id, subscriber_id, at FROM soft_bounce ORDER BY delivery_id",
)


def flooded(world: World, *, pace: float) -> Result:
    """Post while sending, then forget all that came of it, and post the same events in another order."""
    world.fake.rules = Chaos(world.seed, 0, pace)
    url = f"{world.url}hooks/sendgrid"
    with crew(world.environment, world.directory, servers.worker(), servers.worker(), servers.beat(), servers.web()):
        with world.postman(fate=fate, lost=0.01, repeated=0.3, late=3.0) as postman:
            recovered = servers.until(world.ledger.done, 300)
            told = postman.tell_all(120)
        first = _snapshot(world)
        world.ledger.rows("DELETE FROM event; DELETE FROM suppression; DELETE FROM soft_bounce")
        again = random.Random(world.seed + 1).sample(postman.told * 2, len(postman.told) * 2)
        answered = [post(url, again[at : at + MOST]) for at in range(0, len(again), MOST)]
        second = _snapshot(world)
    spent = sorted(postman.seconds)
    facts = {
        "events posted": postman.events + len(again),
        "events a second": round(postman.events / sum(spent)),
        "p99 of a post": f"{spent[int(len(spent) * 0.99)]:.2f} s",
        "suppressed": len(first[1]),
    }
    promises = {
        "every event was told": told and None not in answered,
        "each is stored once": len(first[0]) == len(postman.told),
        "who must not be mailed is who should not": _reasons(first) == expected(postman.told, world.vault),
        "another order leads to the same": first == second,
    }
    return Result(world.verdict(), 0, recovered, [], facts, promises, world.left(recovered))


def fate(chance: random.Random, mail: Mail) -> list[dict[str, Any]]:
    """Most arrive, at once or later; some bounce, are given up, are unwelcome."""
    events = [said(mail, "processed")]
    if chance.random() < 0.3:
        events.append(said(mail, "deferred", attempt="1"))
    draw = chance.random()
    if draw < 0.01:
        return [*events, said(mail, "bounce", type="bounce", status="5.1.1", reason="550 5.1.1 gone")]
    if draw < 0.02:
        return [*events, said(mail, "bounce", type="blocked", status="4.2.2", reason="452 4.2.2 full")]
    events.append(said(mail, "delivered"))
    if draw < 0.03:
        events.append(said(mail, "unsubscribe"))
    elif draw < 0.0304:
        events.append(said(mail, "spamreport"))
    return events


def expected(told: list[dict[str, Any]], vault: Vault) -> dict[bytes, str]:
    """Blind index → reason, by the set of events alone."""
    reasons = {"unsubscribe": "unsubscribe", "spamreport": "complaint"}
    found = {}
    for one in told:
        hard = one["event"] == "bounce" and one["type"] == "bounce"
        reason = "bounce" if hard else reasons.get(one["event"])
        if reason is not None:
            found[vault.blind_index("address", one["email"])] = reason
    return found


def _snapshot(world: World) -> list[list[tuple[Any, ...]]]:
    return [world.ledger.rows(table) for table in _TABLES]


def _reasons(snapshot: list[list[tuple[Any, ...]]]) -> dict[bytes, str]:
    return {bytes(index): reason for index, reason, *_ in snapshot[1]}
