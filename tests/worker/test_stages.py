"""The stage table: nothing is left out of it, and tasks, `once` and the fallback all run what stands in it."""

import inspect
from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.feeds.polling.leases import lease_poll
from newsletter.lib import db
from newsletter.worker import fallback_poll, run_once, stages, tasks
from newsletter.worker.stages import BY_NAME, STAGES, Stage, StageRun

#: Stages that find ids for the stage after them.
FINDS_IDS = ("close", "slots", "compose_open")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the stages that ran, each of them replaced by one that only finds work for the next."""
    names: list[str] = []

    def recorded(stage: Stage) -> Stage:
        def work(run: StageRun, *ids: int) -> None:
            names.append(stage.name + "".join(f" {number}" for number in ids))
            run.follow(*([7] if stage.name in FINDS_IDS else []))

        return replace(stage, work=work)

    table = tuple(recorded(stage) for stage in STAGES)
    monkeypatch.setattr(stages, "STAGES", table)
    for stage in table:
        monkeypatch.setitem(BY_NAME, stage.name, stage)
    return names


def test_every_function_that_takes_a_run_is_in_the_table() -> None:
    functions = {
        function
        for function in vars(stages).values()
        if inspect.isfunction(function) and next(iter(inspect.signature(function).parameters), "").strip("_") == "run"
    }
    assert functions == {stage.work for stage in STAGES}
    assert len(BY_NAME) == len(STAGES)


def test_what_follows_is_a_stage_and_every_stage_is_reached() -> None:
    follows = {stage.then for stage in STAGES if stage.then}
    assert follows <= set(BY_NAME)
    assert {stage.name for stage in STAGES} == follows | {stage.name for stage in STAGES if stage.every is not None}


def test_once_runs_every_stage_in_order(ran: list[str]) -> None:
    assert run_once.once(wait=timedelta(0)).failed == ()
    assert ran == ["compose 7" if stage.name == "compose" else stage.name for stage in STAGES]


def test_the_fallback_delivers_and_reads_feeds_and_delivers_again(ran: list[str]) -> None:
    fallback_poll.poll_tables()
    delivering = [name for name in ran[: ran.index("refresh_due")] if name]
    assert ran == [*delivering, "refresh_due", *delivering, "archives", *delivering]
    left_out = {stage.name for stage in STAGES} - {name.split()[0] for name in ran}
    assert left_out == {"prune"}, "only deletion may wait until Redis is back"


@pytest.mark.django_db
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_task_publishes_what_follows(stage: Stage, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[tuple[object, ...]] = []
    monkeypatch.setattr(tasks, "publish", lambda *message: published.append(message))
    ids = () if stage.every is not None else (3,)
    tasks.app.tasks[stage.task](*ids)
    assert ran == [" ".join([stage.name, *map(str, ids)])]
    found = (7,) if stage.name in FINDS_IDS else ()
    assert published == ([(stage.then, *found)] if stage.then else [])


@pytest.mark.parametrize("more", [True, False])
def test_a_task_that_is_not_done_is_published_again(more: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[str] = []
    monkeypatch.setattr(tasks, "publish", published.append)
    monkeypatch.setitem(BY_NAME, "rematch", replace(BY_NAME["rematch"], work=lambda _run: more))
    tasks.run("rematch")
    assert published == ["rematch"] * more


def test_once_repeats_a_stage_that_is_not_done() -> None:
    left = [True, True, False]
    run_once.Pass(timedelta(0)).run(replace(BY_NAME["rematch"], work=lambda _run: left.pop(0)))
    assert left == []


@pytest.mark.django_db
def test_one_poll_at_a_time(ran: list[str]) -> None:
    other = lease_poll(db.now())
    assert other is not None
    tasks.run("refresh_due")
    assert ran == []
    other.release(db.now())
    tasks.run("refresh_due")
    assert ran == ["refresh_due"]
    assert lease_poll(db.now()) is not None, "the task gave the lease back"
