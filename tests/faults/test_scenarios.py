"""The scenarios at a thousand mails: real workers, Redis and PostgreSQL, killed and starved; `make faults` has them large."""

from pathlib import Path

import pytest

from tests import services
from tests.faults import ground, scenarios
from tests.faults.scenarios import Result

SEED = 7


@pytest.fixture
def world(template: ground.Template, broker: services.Redis, directory: Path):
    with scenarios.world(template, broker, directory, SEED) as made:
        yield made


def promised(result: Result) -> None:
    """Nothing lost, nothing twice, and an end."""
    assert result.recovered is not None, result
    assert result.verdict.kept, result


def test_s1_workers_are_killed_at_any_moment(world: scenarios.World) -> None:
    result = scenarios.killed(world, 10, share=0.1, pace=0.15)
    promised(result)
    assert result.kills >= 5


def test_the_judge_finds_a_worker_guilty_that_sends_and_then_marks(world: scenarios.World) -> None:
    result = scenarios.send_then_mark(world, 8, share=0.15, pace=0.1)
    assert result.verdict.double
    assert not result.verdict.kept


def test_s3_a_rolling_restart_leaves_nothing_in_doubt(world: scenarios.World) -> None:
    result = scenarios.rolled(world, 3, pace=0.5)
    promised(result)
    assert result.kills
    assert result.verdict.unknown == 0


def test_s4_redis_is_emptied_killed_frozen_and_gone(world: scenarios.World) -> None:
    result = scenarios.without_redis(world, 8, pace=0.4)
    promised(result)
    assert result.verdict.by_state == {"accepted": world.people}
    assert result.facts["sent without Redis"]


def test_s6_a_provider_that_refuses_us_altogether_costs_only_time(world: scenarios.World) -> None:
    result = scenarios.bad_provider(world)
    promised(result)
    assert result.facts["closed"] is not None
    assert "failed" not in result.verdict.by_state
    assert result.verdict.unknown_taken == 0
    assert result.verdict.unknown == 6 * 10  # the 500s and 503s, no more


def test_s7_what_is_unknown_is_exactly_what_was_injected(world: scenarios.World) -> None:
    result = scenarios.doubtful_provider(world, 0.12)
    promised(result)
    assert result.facts["injected"]
    assert result.verdict.unknown == result.facts["injected"] * 10
    assert result.verdict.unknown_taken == result.facts["taken"] * 10


def test_s9_every_task_many_times_in_any_order(world: scenarios.World) -> None:
    result = scenarios.rung_too_often(world, 3)
    promised(result)
    assert result.verdict.by_state == {"accepted": world.people}


def test_s18_nobody_is_mailed_who_left_before_the_barrier(world: scenarios.World) -> None:
    result = scenarios.leaving(world, 300)
    promised(result)
    assert result.facts["mailed after leaving"] == 0
    assert result.verdict.by_state["cancelled"]


def test_s19_a_backup_and_a_clone_send_nothing_until_confirmed(world: scenarios.World) -> None:
    result = scenarios.restored(world)
    promised(result)
    assert result.facts["sent before confirmation"] == 0
    assert result.verdict.by_state == {"accepted": world.people}


def test_s20_on_sqlite_two_processes_are_killed(file_template, broker: services.Redis, directory: Path) -> None:
    with scenarios.world(file_template, broker, directory, SEED) as world:
        result = scenarios.on_sqlite(world, 4, share=0.1, pace=0.2)
    promised(result)
    assert result.facts["integrity_check"] == "ok"


def test_s22_a_mail_server_drops_the_line_anywhere(template, broker: services.Redis, directory: Path) -> None:
    with scenarios.world(template, broker, directory, SEED, smtp=True) as world:
        result = scenarios.killed(world, 3, share=0.08, pace=0)
    promised(result)
