"""The scenarios at a thousand mails: real workers, Redis and PostgreSQL, killed and starved; `make faults` has them large."""

from pathlib import Path

import pytest

from tests import services
from tests.faults import answers, ground, killing, outages, people, repeats
from tests.faults.killer import Aim
from tests.faults.world import World, world

SEED = 7
QUICK = (0.3, 0.6)


@pytest.fixture
def installation(template: ground.Template, broker: services.Redis, directory: Path):
    with world(template, broker, directory, SEED) as made:
        yield made


def test_s1_workers_are_killed_at_any_moment(installation: World) -> None:
    result = killing.killed(installation, Aim(12, pause=QUICK), share=0.1, pace=0.15, events=True)
    assert not result.broken
    assert result.kills >= 5


def test_the_judge_finds_a_worker_guilty_that_sends_and_then_marks(installation: World) -> None:
    result = killing.send_then_mark(installation, 8, share=0.15, pace=0.1)
    assert result.verdict.double
    assert result.verdict.broken


def test_s3_a_rolling_restart_leaves_nothing_in_doubt(installation: World) -> None:
    assert not killing.rolled(installation, 3, pace=0.3, every=2).broken


def test_s4_redis_is_emptied_killed_frozen_and_gone(installation: World) -> None:
    assert not outages.without_redis(installation, 8, pace=0.3, rounds=1, frozen=4).broken


def test_s6_a_provider_that_refuses_us_altogether_costs_only_time(installation: World) -> None:
    assert not answers.bad_provider(installation).broken


def test_s7_what_is_unknown_is_exactly_what_was_injected(installation: World) -> None:
    assert not answers.doubtful_provider(installation, 0.12).broken


def test_s9_every_task_many_times_in_any_order(installation: World) -> None:
    assert not repeats.rung_too_often(installation, 3).broken


def test_s18_nobody_is_mailed_who_left_before_the_barrier(installation: World) -> None:
    assert not people.leaving(installation, 200).broken


def test_s19_a_backup_and_a_clone_send_nothing_until_confirmed(installation: World) -> None:
    assert not people.restored(installation, 2).broken


def test_s20_on_sqlite_two_processes_are_killed(file_template, broker: services.Redis, directory: Path) -> None:
    with world(file_template, broker, directory, SEED) as installation:
        assert not killing.on_sqlite(installation, 4, share=0.1, pace=0.1, pause=(2, 3)).broken


def test_s22_a_mail_server_drops_the_line_anywhere(template, broker: services.Redis, directory: Path) -> None:
    with world(template, broker, directory, SEED, smtp=True) as installation:
        assert not killing.killed(installation, Aim(3), share=0.08, pace=0).broken
