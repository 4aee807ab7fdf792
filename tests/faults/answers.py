"""Scenarios in which the provider answers badly: no, not now, nothing, half a word, and to one mail of five hundred."""

import math
from collections import Counter

from tests.faults import servers
from tests.faults.chaos import Chaos
from tests.faults.environment import Result, World, reconciled
from tests.faults.workers import crew

#: Answers that leave us in doubt: nothing was taken (the first two), or all of it was.
DOUBTFUL = ("drop", "half", "accept-500", "accept-drop", "accept-half", "accept-cut", "slow:3")


def bad_provider(world: World) -> Result:
    """S6: a storm of 429, then 500 and 503, then a wrong key, until an operator opens the gate again."""
    fake = world.sendgrid
    fake.script("429", times=15, reset=1)
    fake.script("500", times=3)
    fake.script("503", skip=5, times=3)
    fake.script("401", skip=5)
    hands = crew(world.environment, world.directory, servers.worker(), servers.beat(), servers.web())
    with hands, world.postman() as postman:
        shut = "SELECT 1 FROM provider_gate WHERE paused_by IS NOT NULL"
        closed = servers.until(lambda: bool(world.ledger.asked(shut)), 60)
        failed = world.ledger.counted().get("failed", 0)
        fake.rules.clear()
        fake.reset = None
        world.command("sending", "resume")
        recovered = servers.until(world.ledger.done, 180)
        result = Result(world.verdict(), 0, recovered, left=world.left(recovered))
        result = reconciled(world, postman, result)
    facts = {"closed by 401 after s": _rounded(closed), "requests": len(fake.requests)}
    promises = {
        "a wrong key closes the gate": closed is not None,
        "nobody failed for it": failed == 0 and "failed" not in result.verdict.by_state,
        "in doubt is what met 500 and 503": result.verdict.unknown == fake.met["500"] + fake.met["503"],
    }
    return Result(result.verdict, 0, recovered, [], result.facts | facts, result.promises | promises, result.left)


def doubtful_provider(world: World, share: float) -> Result:
    """S7: every sort of answer that leaves us in doubt; the judge knows how many were injected, and which were taken."""
    chaos = Chaos(world.seed, share, 0.02, dict.fromkeys(DOUBTFUL, 1))
    world.fake.rules = chaos
    hands = crew(world.environment, world.directory, servers.worker(), servers.beat(), servers.web())
    with hands, world.postman() as postman:
        recovered = servers.until(world.ledger.done, 300)
        result = Result(world.verdict(), 0, recovered, left=world.left(recovered))
        result = reconciled(world, postman, result)
    met = Counter({mode: world.sendgrid.met[mode] for mode in DOUBTFUL})
    never = met["drop"] + met["half"]
    proved = world.ledger.proved()
    facts = {"injected": met.total(), "of these taken": met.total() - never}
    promises = {
        "doubt was injected": met.total() > 0,
        "unknown before events is what was injected": result.verdict.unknown + proved == met.total(),
        "unknown after events is what was never taken": result.verdict.unknown == never,
    }
    return Result(result.verdict, 0, recovered, [], result.facts | facts, result.promises | promises, result.left)


def poisoned(world: World, refused: int) -> Result:
    """S12: one in a hundred is owed a mail that no template can word, and the provider refuses whole requests for one address."""
    fake, size = world.sendgrid, world.template.size
    fake.refused = frozenset(f"reader{size * number + 7}@example.org" for number in range(refused))
    app = "tests.faults.poison"
    with crew(world.environment, world.directory, servers.worker(app), servers.worker(app), servers.beat(app)):
        recovered = servers.until(world.done, 180)
    verdict = world.verdict()
    ill = len(range(0, world.people, 100))
    least = math.ceil((world.people - ill) / size)
    facts = {"requests": len(fake.requests), "without refusals": least}
    expected = {"accepted": world.people - ill - refused, "failed": refused, "parked": ill}
    promises = {
        "all others accepted": verdict.by_state == expected,
        "at most 2 log2(500) more requests for each": len(fake.requests) - least <= refused * 2 * math.log2(size),
    }
    return Result(verdict, 0, recovered, [], facts, promises, world.left(recovered))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
