"""Runs and their jobs in DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.unit.conftest import RUN_TABLE

from penstock.adapters.run_table import RunTable
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import Outcome, Progress, Verdict
from penstock.domain.run_record import RunRecord

EXPIRES = 1_829_811_600
RUN = RunRecord(
    job_id="20261121T050000Z-1",
    category="Daily",
    logical_date="2026-11-21",
    trigger="schedule",
    execution_arn="arn",
    started_at="2026-11-21T05:00:00.000Z",
    plan_key="runs/x/plan.jsonl",
    planned=3,
    left_out=2,
    invalid=1,
)


@pytest.fixture
def runs(dynamodb: Any) -> RunTable:
    return RunTable(dynamodb, RUN_TABLE, lambda: EXPIRES)


def job(name: str, **changes: Any) -> JobRecord:
    record = JobRecord(RUN.job_id, name, "spark", "Daily", "2026-11-21", Progress.PLANNED)
    return replace(record, **changes)


def items(dynamodb: Any) -> list[dict[str, Any]]:
    return list(dynamodb.scan(TableName=RUN_TABLE)["Items"])


def test_a_run_reads_as_it_was_saved(runs: RunTable) -> None:
    assert runs.run(RUN.job_id) is None
    assert runs.save(RUN) == RUN
    assert runs.run(RUN.job_id) == RUN


def test_a_run_ends_once_however_often_it_is_closed(runs: RunTable) -> None:
    runs.save(RUN)
    closed = replace(RUN, verdict=Verdict.PARTIAL, outcomes={"FAILED": 1}, ended_at="first")
    assert runs.save(closed) == closed
    assert runs.save(replace(closed, ended_at="second")).ended_at == "first"


def test_planning_again_does_not_reopen_a_closed_run(runs: RunTable) -> None:
    runs.save(replace(RUN, verdict=Verdict.FAILED, ended_at="then"))
    again = runs.save(RUN)
    assert (again.verdict, again.ended_at) == (Verdict.FAILED, "then")


def test_the_list_of_runs_sorts_by_time_and_knows_the_verdict(
    runs: RunTable, dynamodb: Any
) -> None:
    later = replace(RUN, job_id="20261122T050000Z-0", verdict=Verdict.SUCCEEDED, ended_at="x")
    runs.save(later)
    runs.save(RUN)
    lines = dynamodb.query(
        TableName=RUN_TABLE,
        KeyConditionExpression="PK = :runs",
        ExpressionAttributeValues={":runs": {"S": "RUNS"}},
    )["Items"]
    assert [line["SK"]["S"] for line in lines] == [RUN.job_id, later.job_id]
    assert [line.get("Verdict", {}).get("S") for line in lines] == [None, "SUCCEEDED"]


def test_every_item_of_a_run_expires(runs: RunTable, dynamodb: Any) -> None:
    runs.save(RUN)
    runs.create_jobs([job("a")])
    assert {item["ExpiresAt"]["N"] for item in items(dynamodb)} == {str(EXPIRES)}
    assert len(items(dynamodb)) == 4


def test_hundreds_of_jobs_are_created_and_read_by_name(runs: RunTable) -> None:
    names = [f"job{number:03}" for number in range(250)]
    runs.create_jobs([job(name) for name in names])
    assert [found.job_name for found in runs.jobs_of(RUN.job_id)] == names
    assert runs.jobs_of("other") == []


def test_creating_jobs_again_adds_what_is_missing_and_changes_nothing(runs: RunTable) -> None:
    names = [f"job{number:03}" for number in range(150)]
    runs.create_jobs([job(name, state=Outcome.SKIPPED) for name in names[:100]])
    runs.create_jobs([job(name) for name in names])
    states = [found.state for found in runs.jobs_of(RUN.job_id)]
    assert states == [Outcome.SKIPPED] * 100 + [Progress.PLANNED] * 50


class Busy:
    """A client whose transactions are cancelled a few times."""

    def __init__(self, code: str, times: int) -> None:
        self.code, self.times, self.calls = code, times, 0

    def transact_write_items(self, **_: Any) -> None:
        self.calls += 1
        if self.calls <= self.times:
            answer: Any = {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "CancellationReasons": [{"Code": "None"}, {"Code": self.code}],
            }
            raise ClientError(answer, "TransactWriteItems")


def test_a_transaction_that_met_another_is_tried_again() -> None:
    busy: Any = Busy("TransactionConflict", times=2)
    RunTable(busy, RUN_TABLE, lambda: EXPIRES).create_jobs([job("a")])
    assert busy.calls == 3


@pytest.mark.parametrize(("code", "calls"), [("ValidationError", 1), ("TransactionConflict", 6)])
def test_a_transaction_that_cannot_work_is_an_error(code: str, calls: int) -> None:
    busy: Any = Busy(code, times=99)
    with pytest.raises(ClientError):
        RunTable(busy, RUN_TABLE, lambda: EXPIRES).create_jobs([job("a")])
    assert busy.calls == calls


def test_the_backlog_of_a_run_is_what_is_unlogged_and_what_those_had_to_log(runs: RunTable) -> None:
    runs.save(replace(RUN, job_id="b", unlogged_runs=("a",)))
    assert runs.backlog("c", []) == []
    assert runs.backlog("c", ["b"]) == ["b", "a"]
    runs.save(replace(RUN, job_id="c", unlogged_runs=("x",)))
    assert sorted(runs.backlog("c", ["b"])) == ["a", "b", "x"]
    found = runs.unlogged_by(replace(RUN, unlogged_runs=("b", "gone")))
    assert [run.job_id for run in found] == ["b"]


def test_the_runs_for_a_day_are_found_by_their_category(runs: RunTable) -> None:
    rerun = replace(RUN, job_id="20261121T060000Z-2", rerun_of=RUN.job_id, lane="backfill")
    runs.save(rerun)
    runs.save(RUN)
    runs.save(replace(RUN, job_id="20261122T050000Z-3", logical_date="2026-11-22"))
    found = runs.runs_for("Daily", "2026-11-21")
    assert [(run.job_id, run.rerun_of, run.lane) for run in found] == [
        (RUN.job_id, "", "live"),
        (rerun.job_id, RUN.job_id, "backfill"),
    ]
    assert [run.job_id[:9] for run in runs.runs_since("20261121T05")] == [
        "20261121T",
        "20261121T",
        "20261122T",
    ]


def test_the_newest_record_of_a_job_for_a_day_counts_unless_it_was_left_out(
    runs: RunTable,
) -> None:
    ids = [f"2026112{day}T050000Z-{day}" for day in (1, 2, 3)]
    for job_id, lane in zip(ids, ("live", "live", "backfill"), strict=True):
        runs.save(replace(RUN, job_id=job_id, lane=lane))
    runs.create_jobs(
        [
            job("a", job_id=ids[0], state=Outcome.FAILED),
            job("b", job_id=ids[0], state=Outcome.SUCCEEDED),
            job("a", job_id=ids[1], state=Outcome.SUCCEEDED),
            job("b", job_id=ids[1], state=Outcome.SKIPPED),
            job("a", job_id=ids[2], state=Outcome.ABORTED),
        ]
    )
    found = runs.latest_jobs("Daily", "2026-11-21", ["a", "b", "c"])
    assert {name: (j.job_id, j.state) for name, j in found.items()} == {
        "a": (ids[2], Outcome.ABORTED),
        "b": (ids[0], Outcome.SUCCEEDED),
    }
