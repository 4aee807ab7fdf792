"""The scenarios at a thousand mails, some at a time: real workers, Redis and PostgreSQL, killed and starved.

They wait for leases and starting processes more than they compute, so several run beside each other, each in an installation
of its own; `make faults` has them large, and one after the other.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import services
from tests.faults import answers, ground, killing, outages, people, repeats
from tests.faults.killer import Aim
from tests.faults.world import Result, World, world

SEED = 7
#: Installations at a time.
BESIDE = 3
QUICK = (0.3, 0.6)

#: The longest first.
SCENARIOS: Mapping[str, Callable[[World], Result]] = {
    "S1": lambda made: killing.killed(made, Aim(12, pause=QUICK), share=0.1, pace=0.15, events=True),
    "S22": lambda made: killing.killed(made, Aim(3), share=0.08, pace=0),
    "S3": lambda made: killing.rolled(made, 3, pace=0.3, every=3),
    "S4": lambda made: outages.without_redis(made, 8, pace=0.3, rounds=1, frozen=4),
    "S19": lambda made: people.restored(made, 2),
    "control": lambda made: killing.send_then_mark(made, 8, share=0.15, pace=0.1),
    "S20": lambda made: killing.on_sqlite(made, 4, share=0.1, pace=0.1, pause=(2, 3)),
    "S18": lambda made: people.leaving(made, 200),
    "S9": lambda made: repeats.rung_too_often(made, 3),
    "S6": answers.bad_provider,
    "S7": lambda made: answers.doubtful_provider(made, 0.12),
}
WORDS = {
    "S1": "workers are killed at any moment",
    "S3": "a rolling restart leaves nothing in doubt",
    "S4": "Redis is emptied, killed, frozen and gone",
    "S6": "a provider that refuses us altogether costs only time",
    "S7": "what is unknown is exactly what was injected",
    "S9": "every task many times in any order",
    "S18": "nobody is mailed who left before the barrier",
    "S19": "a backup and a clone send nothing until confirmed",
    "S20": "on SQLite two processes are killed",
    "S22": "a mail server drops the line anywhere",
}


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest,
    template: ground.Template,
    file_template: ground.Template,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, "Future[Result]"]]:
    """The scenarios that were asked for, begun."""
    here = [one for one in request.session.items if one.module is request.module]
    asked = {one.callspec.params["name"] if hasattr(one, "callspec") else "control" for one in here}
    with ThreadPoolExecutor(BESIDE) as pool:
        yield {
            name: pool.submit(_run, name, file_template if name == "S20" else template, tmp_path_factory.mktemp(name))
            for name in SCENARIOS
            if name in asked
        }


def _run(name: str, template: ground.Template, directory: Path) -> Result:
    broker = services.Redis()
    broker.start()
    try:
        with world(template, broker, directory / "world", SEED, smtp=name == "S22", forking=True) as made:
            return SCENARIOS[name](made)
    finally:
        broker.close()


@pytest.mark.parametrize("name", WORDS, ids=lambda name: f"{name}: {WORDS[name]}")
def test_the_promise_is_kept(name: str, running: Mapping[str, "Future[Result]"]) -> None:
    result = running[name].result()
    assert not result.broken
    assert result.kills or name not in ("S1", "S3", "S20", "S22")


def test_the_judge_finds_a_worker_guilty_that_sends_and_then_marks(running: Mapping[str, "Future[Result]"]) -> None:
    result = running["control"].result()
    assert result.verdict.double
    assert result.broken
