"""Close Run: duplicates, backfills, leases and sums."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.conftest import RUN_TABLE
from tests.unit.handlers.conftest import House

from penstock.adapters.leases import Leases
from penstock.domain.figures import Figures
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.open_run import OpenRun
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.run_record import RunRecord
from penstock.domain.waiter import Waiter

RUN = RunRecord(
    "20261121T050000Z-1", "Daily", "2026-11-21", execution_arn="arn",
    started_at="2026-11-21T05:00:00.000Z",
)  # fmt: skip
REQUEST = {"job_id": RUN.job_id, "execution_arn": "arn", "started_at": RUN.started_at}


@pytest.fixture
def leases(dynamodb: Any) -> Leases:
    return Leases(dynamodb, RUN_TABLE, lambda: 2_000_000_000)


def lease(job_id: str = RUN.job_id) -> OpenRun:
    return OpenRun(job_id, "Daily", "2026-11-21", "arn", RUN.started_at)


def job(name: str, state: Any, **changes: Any) -> JobRecord:
    return replace(JobRecord(RUN.job_id, name, "spark", "Daily", "2026-11-21", state), **changes)


def test_a_duplicate_ends_as_such_and_touches_neither_jobs_nor_the_others_lease(
    house: House, leases: Leases
) -> None:
    leases.take(lease("other"), None)
    house.runs.save(replace(RUN, duplicate_of="other"))
    closed = house.call("close_run", REQUEST | {"duplicate_of": "other"})
    assert closed["verdict"] == "DUPLICATE"
    assert "Run other is at this work" in closed["digest"]
    assert house.call("close_run", REQUEST) == closed
    assert [run.job_id for run in leases.open_runs()] == ["other"]
    run = house.runs.run(RUN.job_id)
    assert run
    assert (run.verdict, run.duplicate_of) == ("DUPLICATE", "other")


def test_a_duplicate_of_which_only_the_request_tells_is_one_too(house: House) -> None:
    assert house.call("close_run", REQUEST | {"duplicate_of": "x"})["verdict"] == "DUPLICATE"


def test_a_closed_run_has_given_its_lease_back(house: House, leases: Leases) -> None:
    leases.take(lease(), None)
    house.runs.save(RUN)
    assert house.call("close_run", REQUEST)["verdict"] == "SUCCEEDED"
    assert leases.open_runs() == []


def test_a_run_that_failed_while_it_was_planned_gives_back_the_lease_it_had_taken(
    house: House, leases: Leases
) -> None:
    leases.take(lease(), None)
    failure = {"state": "Plan Run", "error": "Lambda.Unknown", "cause": ""}
    event = REQUEST | {"input": {"category": "Daily"}, "failure": failure}
    assert house.call("close_run", event)["verdict"] == "FAILED"
    assert leases.open_runs() == []


def test_the_lease_is_given_back_after_all_else(
    house: House, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases.take(lease(), None)
    house.runs.save(RUN)
    monkeypatch.setattr(Leases, "release", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        house.call("close_run", REQUEST)
    monkeypatch.undo()
    assert house.runs.run(RUN.job_id).verdict == "SUCCEEDED"  # type: ignore[union-attr]
    assert leases.open_runs() == [lease()]


def test_a_run_knows_what_its_jobs_took_in_all(house: House) -> None:
    house.runs.save(RUN)
    house.runs.create_jobs(
        [
            job("a", Outcome.SUCCEEDED, figures=Figures(seconds=10.5, dpu_seconds=2, dollars=0.5)),
            job("b", Outcome.FAILED, figures=Figures(seconds=1, dollars=0.25)),
            job("c", Outcome.SKIPPED),
        ]
    )
    house.call("close_run", REQUEST)
    run = house.runs.run(RUN.job_id)
    assert run
    assert (run.seconds, run.dpu_seconds, run.dollars) == (11.5, 2, 0.75)


def test_what_a_backfill_lost_is_no_business_of_live_runs(house: House) -> None:
    house.apply({"JobName": "a"})
    house.runs.save(replace(RUN, lane="backfill"))
    house.runs.create_jobs([job("a", Progress.PLANNED, lane="backfill")])
    assert house.call("close_run", REQUEST)["verdict"] == "FAILED"
    assert house.job(RUN.job_id, "a").outcome is Outcome.ABORTED
    assert house.messages() == []
    assert "StatusFlag" not in house.control.rows_named(["a"])["a"]


def test_jobs_that_still_wait_on_another_category_are_forgotten_there(house: House) -> None:
    house.apply({"JobName": "a"}, {"JobName": "base"})
    waiting = job("a", Progress.WAITING, waiting_on=frozenset({"base"}))
    house.control.add_waiter("base", Waiter("2026-11-21", waiting.key))
    other = Waiter("2026-11-21", JobKey("another", "a", 1))
    house.control.add_waiter("base", other)
    house.runs.save(RUN)
    house.runs.create_jobs([waiting])
    house.call("close_run", REQUEST)
    assert house.control.rows_named(["base"])["base"]["Waiters"] == {other.to_text()}


def test_jobs_of_other_runs_that_wait_on_a_lost_job_are_told(house: House) -> None:
    house.apply({"JobName": "lost"})
    house.runs.save(RUN)
    waiting = job("w", Progress.PLANNED, job_id="another", waiting_on=frozenset({"lost"}))
    house.runs.create_jobs([job("lost", Progress.RUNNING)])
    house.runs.create_jobs([waiting])
    house.control.add_waiter("lost", Waiter("2026-11-21", waiting.key))
    house.call("close_run", REQUEST)
    assert house.job("another", "w").outcome is Outcome.BLOCKED
    assert "Waiters" not in house.control.rows_named(["lost"])["lost"]
