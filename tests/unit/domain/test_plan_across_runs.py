"""Upstream jobs of other categories, required ones, reruns, backfills, and jobs given up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_plan import EVENT, SITE, asked, decisions, entries, order, plan, row

from penstock.domain.control_row import read_row
from penstock.domain.errors import InvalidRequestError
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import Outcome
from penstock.domain.plan import job_records
from penstock.domain.plan_line import PlanDocument
from penstock.domain.planning import is_done, newly_failed, plan_of
from penstock.domain.requested_run import requested_run
from penstock.domain.rerun import chain_of, rerun_of
from penstock.domain.run_record import RunRecord
from penstock.domain.upstream import OutsideJob, Standing

RUN = RunRecord("20261120T050000Z-1", "Daily", "2026-11-20", ended_at="then")


def outside(standing: Standing, *depends_on: str) -> OutsideJob:
    return OutsideJob("base", "Base", standing, "because", depends_on)


def plan_with(standing: Standing, *rows: dict[str, Any]) -> PlanDocument:
    readings = [read_row(each) for each in rows]
    return plan_of(requested_run(EVENT), readings, {}, [], SITE, [outside(standing)])


def required(name: str) -> dict[str, Any]:
    return {"JobName": name, "Required": "Yes"}


@pytest.mark.parametrize(
    ("standing", "plain", "needed"),
    [
        (Standing.SUCCEEDED, ("PLANNED", []), ("PLANNED", [])),
        (Standing.PENDING, ("PLANNED", ["base"]), ("PLANNED", ["base"])),
        (Standing.UNSUCCESSFUL, ("BLOCKED", []), ("BLOCKED", [])),
        (Standing.LEFT_OUT, ("PLANNED", []), ("SKIPPED", [])),
    ],
)
def test_a_job_of_another_category_counts_as_it_stands_for_the_day(
    standing: Standing, plain: Any, needed: Any
) -> None:
    found = entries(
        plan_with(
            standing,
            row("plain", DependsOn="base"),
            row("needed", DependsOn=[required("base")]),
        )
    )
    assert (found["plain"]["Decision"], found["plain"]["Outside"]) == plain
    assert (found["needed"]["Decision"], found["needed"]["Outside"]) == needed


def test_the_items_of_a_run_wait_on_outside_jobs_and_order_the_others() -> None:
    document = plan_with(
        Standing.PENDING, row("b", DependsOn=["a", "base"]), row("a", DependsOn="base")
    )
    assert order(document) == ["a", "b"]
    jobs = {job.job_name: job for job in job_records(document)}
    assert jobs["a"].dependents == ("b",)
    assert jobs["b"].waiting_on == {"a", "base"}


def test_a_cycle_through_another_category_makes_its_own_jobs_invalid() -> None:
    readings = [read_row(row("a", DependsOn="base")), read_row(row("free"))]
    looped = outside(Standing.PENDING, "a")
    document = plan_of(requested_run(EVENT), readings, {}, [], SITE, [looped])
    assert decisions(document) == {"free": "PLANNED", "a": "INVALID"}
    assert "a, base wait for one another" in entries(document)["a"]["Reason"]


def test_a_job_is_left_out_with_its_required_upstream_and_runs_without_any_other() -> None:
    document = plan(
        row("monthly", RunCondition="DAY 1"),
        row("daily", DependsOn="monthly"),
        row("strict", DependsOn=[required("monthly")]),
        row("below", DependsOn=["strict"]),
    )
    assert decisions(document) == {
        "below": "PLANNED",
        "daily": "PLANNED",
        "monthly": "SKIPPED",
        "strict": "SKIPPED",
    }
    assert entries(document)["strict"]["Reason"] == (
        "required upstream monthly is left out: not due on SATURDAY 2026-11-21: DAY 1"
    )


@pytest.mark.parametrize(("failures", "state"), [(2, "PLANNED"), (3, "BLOCKED"), (9, "BLOCKED")])
def test_a_job_that_fails_again_and_again_is_given_up_even_on_its_day(
    failures: int, state: str
) -> None:
    job = row("a", FailuresInARow=failures, LastJobId="20261120T0-1", StatusFlag="FAILED")
    document = plan(job, row("b", DependsOn="a"))
    assert decisions(document) == {"a": state, "b": state}
    if state == "BLOCKED":
        assert "penstock rerun 20261120T0-1 --job a" in entries(document)["a"]["Reason"]
        message = {"kind": "job", "job_name": "a", "category": "Daily", "job_id": "20261120T0-1"}
        assert is_done(message, document)
        assert [job.job_name for job in newly_failed(document)] == ["b"]


def test_the_row_says_how_often_a_job_may_fail() -> None:
    document = plan(
        row("a", FailuresInARow=1, MaxAttempts=1), row("b", FailuresInARow=8, MaxAttempts=9)
    )
    assert decisions(document) == {"a": "BLOCKED", "b": "PLANNED"}


def test_a_failure_that_sqs_has_forgotten_is_taken_up_from_the_row() -> None:
    weekly = {"RunCondition": "MONDAY", "FailuresInARow": 1, "LastJobId": "x"}
    old = row("old", StatusFlag="FAILED", LastRunTimestamp="2026-11-01T05:00:00.000Z", **weekly)
    new = row("new", StatusFlag="FAILED", LastRunTimestamp="2026-11-19T05:00:00.000Z", **weekly)
    good = row(
        "good", StatusFlag="SUCCEEDED", LastRunTimestamp="2026-11-01T05:00:00.000Z", **weekly
    )
    assert decisions(plan(old, new, good)) == {
        "old": "PLANNED",
        "good": "SKIPPED",
        "new": "SKIPPED",
    }


def test_a_backfill_has_a_pool_of_its_own_beside_those_that_protect_something() -> None:
    found = entries(
        plan(
            row("a", Priority=7, FailuresInARow=9),
            row("b", Pool="source", Priority=7),
            lane="backfill",
            logical_date="2026-01-01",
        )
    )
    assert (found["a"]["Pool"], found["a"]["Priority"]) == ("backfill", 7)
    assert (found["b"]["Pool"], found["b"]["Priority"]) == ("source", 0)
    assert (found["a"]["Decision"], found["a"]["FailedBefore"]) == ("PLANNED", 0)


def record(name: str, state: Outcome, run: str = RUN.job_id, attempt: int = 1) -> JobRecord:
    return JobRecord(run, name, "python_shell", "Daily", "2026-11-20", state, attempt)


STATES = [
    record("good", Outcome.SUCCEEDED),
    record("bad", Outcome.FAILED),
    record("after", Outcome.BLOCKED),
    record("odd", Outcome.INVALID),
    record("out", Outcome.SKIPPED),
]
ROWS = [
    row("good", RunCondition="DAY 31"),
    row("bad", DependsOn=["good"], RunCondition="DAY 31", FailuresInARow=9),
    row("after", DependsOn=["bad", "out"]),
    row("odd"),
    row("out"),
    row("new"),
]


def rerun_plan(*only: str, states: list[JobRecord] | None = None) -> PlanDocument:
    rerun = rerun_of([RUN], [states or STATES], only)
    run = requested_run(asked({"rerun_of": RUN.job_id, "jobs": list(only)})).as_rerun(RUN)
    return plan_of(run, [read_row(r) for r in ROWS], {}, [], SITE, [], rerun)


def test_a_rerun_runs_what_did_not_succeed_for_the_same_day_and_nothing_else() -> None:
    document = rerun_plan()
    assert decisions(document) == {
        "bad": "PLANNED",
        "after": "PLANNED",
        "odd": "PLANNED",
        "good": "SKIPPED",
        "new": "SKIPPED",
        "out": "SKIPPED",
    }
    assert (document["logical_date"], document["rerun_of"]) == ("2026-11-20", RUN.job_id)
    assert entries(document)["good"]["Reason"] == f"has succeeded in run {RUN.job_id}"
    assert entries(document)["bad"]["WaitsOn"] == []
    assert entries(document)["after"]["WaitsOn"] == ["bad"]
    assert {line["job_name"]: line["attempt"] for line in document["lines"]} == {
        "bad": 2,
        "after": 2,
        "odd": 2,
    }


def test_a_job_is_rerun_alone_without_its_siblings() -> None:
    document = rerun_plan("bad")
    assert order(document) == ["bad"]
    assert entries(document)["odd"]["Reason"] == "was not asked for"


def test_a_job_cannot_be_rerun_before_its_upstream_is_good() -> None:
    document = rerun_plan("after")
    assert decisions(document)["after"] == "BLOCKED"
    assert entries(document)["after"]["Reason"] == (
        "upstream bad did not succeed and is not run again; name it, too"
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("good", "has succeeded in run"),
        ("out", "was left out of run"),
        ("ghost", "is not part of run"),
    ],
)
def test_only_jobs_that_did_not_succeed_can_be_asked_for(name: str, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"{name} cannot be run again: it {why}"):
        rerun_of([RUN], [STATES], [name])


def test_a_rerun_of_a_rerun_takes_what_is_still_not_good() -> None:
    first = replace(RUN, job_id="20261120T060000Z-2", rerun_of=RUN.job_id)
    second = replace(RUN, job_id="20261120T070000Z-3", rerun_of=first.job_id)
    other = replace(RUN, job_id="20261120T065000Z-9")
    twin = replace(RUN, job_id="20261120T080000Z-4", rerun_of=first.job_id, duplicate_of="x")
    chain = chain_of(RUN, [second, RUN, other, first, twin])
    assert chain == [RUN, first, second]
    later = [
        record("bad", Outcome.SUCCEEDED, first.job_id, 2),
        record("after", Outcome.FAILED, first.job_id, 2),
        record("good", Outcome.SKIPPED, first.job_id),
    ]
    rerun = rerun_of([RUN, first], [STATES, later], [])
    assert [name for name in rerun.jobs if rerun.is_chosen(name)] == ["after", "odd"]
    assert rerun.jobs["good"].job_id == RUN.job_id
    assert rerun.next_attempt("after") == 3


def test_a_run_that_is_open_cannot_be_rerun() -> None:
    with pytest.raises(InvalidRequestError, match="has not ended yet"):
        rerun_of([replace(RUN, ended_at=None)], [STATES], [])


def test_a_rerun_makes_up_only_for_the_runs_of_its_chain() -> None:
    document = rerun_plan()
    mine = {"kind": "job", "job_name": "bad", "job_id": RUN.job_id}
    chain = frozenset({RUN.job_id})
    assert is_done(mine, document, chain)
    assert not is_done({**mine, "job_id": "20261119T050000Z-0"}, document, chain)


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ({"rerun_of": 5}, "rerun_of is the job ID"),
        ({"category": "Daily", "jobs": ["a"]}, "goes with rerun_of"),
        ({"rerun_of": "x", "jobs": "a"}, "has to be a list"),
        ({"category": "Daily", "lane": "fast"}, "'fast' is none of live, backfill"),
        ({"category": "Daily", "lane": "backfill"}, "logical_date: is missing"),
        ("Daily", "needs a category"),
    ],
)
def test_a_request_that_nobody_can_mean_is_refused(stated: Any, problem: str) -> None:
    with pytest.raises(InvalidRequestError, match=problem):
        requested_run(asked(stated))


def test_only_a_scheduled_start_has_a_time_that_must_not_come_twice() -> None:
    time = {"category": "Daily", "scheduled_time": "2026-11-21T05:00:00Z"}
    assert (
        requested_run(asked({**time, "trigger": "schedule"})).scheduled_time
        == time["scheduled_time"]
    )
    assert requested_run(asked(time)).scheduled_time is None
    unfilled = {**time, "trigger": "schedule", "scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert requested_run(asked(unfilled)).scheduled_time is None
