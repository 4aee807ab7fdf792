"""The scenarios at a thousand mails: real workers, Redis and PostgreSQL, killed and starved; `make faults` has them large.

Each has an installation of its own, and waits more than it computes: run several beside each other (`-n 3`).
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests import services
from tests.faults import answers, killing, outages, people, repeats, servers, windows
from tests.faults.environment import Result, World, world
from tests.faults.killer import Aim

SEED = 7
QUICK = (0.3, 0.6)
RUSH = "tests.faults.load"
TEMPLATES = {"S20": "file_template", "S25": "window_template", "S27": "window_template"}
SMTP = ("S22", "S25", "S27")

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
    "S25": lambda made: windows.killed(made, 4, slow=0.05, app=RUSH),
    "S27": lambda made: windows.cut_off(made, 2, slow=0.08, seconds=8, app=RUSH),
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
    "S25": "workers are killed in the middle of a window",
    "S27": "a worker is taken for dead, and lives",
}


@pytest.fixture
def broker() -> Iterator[services.Redis]:
    server = services.Redis()
    server.start()
    yield server
    server.close()


@pytest.fixture
def template(request: pytest.FixtureRequest) -> servers.Template:
    name = request.node.callspec.params["name"]
    made: servers.Template = request.getfixturevalue(TEMPLATES.get(name, "server_template"))
    return made


@pytest.fixture
def result(name: str, template: servers.Template, broker: services.Redis, tmp_path: Path) -> Result:
    """What came of a scenario, in an installation of its own."""
    with world(template, broker, tmp_path / "world", SEED, smtp=name in SMTP, forking=True) as made:
        return SCENARIOS[name](made)


@pytest.mark.parametrize("name", WORDS, ids=lambda name: f"{name}: {WORDS[name]}")
def test_the_promise_is_kept(name: str, result: Result) -> None:
    assert not result.broken
    assert result.kills or name not in ("S1", "S3", "S20", "S22", "S25", "S27")


@pytest.mark.parametrize("name", ["control"])
def test_the_judge_finds_a_worker_guilty_that_sends_and_then_marks(name: str, result: Result) -> None:
    assert result.verdict.double
    assert result.broken
