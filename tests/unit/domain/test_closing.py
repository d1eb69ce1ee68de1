"""The verdict, the jobs nobody reports on, and the message for people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from penstock.domain.closing import ended_run, log_of, pools_of, response, unplanned_run
from penstock.domain.digest import digest_of, subject_of
from penstock.domain.figures import Figures
from penstock.domain.job_record import JobRecord
from penstock.domain.lost_job import lost_jobs, unreported
from penstock.domain.outcome import Outcome, Progress, Verdict
from penstock.domain.run_record import RunRecord
from penstock.domain.site import Site
from penstock.domain.verdict import verdict_of

RUN = RunRecord(
    job_id="20261121T050000Z-7b0f",
    category="Daily_Covid",
    logical_date="2026-11-21",
    trigger="schedule",
    execution_arn="arn:aws:states:eu-central-1:123456789012:execution:pipeline:x",
    started_at="2026-11-21T05:00:02.000Z",
    planned=4,
)
SITE = Site("dev", "penstock", "data", "UTC", None)
STOPPED: Any = {"state": "Run Jobs", "error": "States.ItemReaderFailed", "cause": "no such key"}


def job(name: str, state: Any = Progress.PLANNED, **changes: Any) -> JobRecord:
    record = JobRecord(RUN.job_id, name, "spark", "Daily_Covid", "2026-11-21", state)
    return replace(record, **changes)


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ([], "SUCCEEDED"),
        (["SUCCEEDED", "SUCCEEDED"], "SUCCEEDED"),
        (["SKIPPED"], "SUCCEEDED"),
        (["SUCCEEDED", "SKIPPED"], "SUCCEEDED"),
        (["SUCCEEDED", "FAILED"], "PARTIAL"),
        (["SUCCEEDED", "BLOCKED"], "PARTIAL"),
        (["SUCCEEDED", "INVALID"], "PARTIAL"),
        (["SUCCEEDED", "TIMED_OUT", "SKIPPED"], "PARTIAL"),
        (["FAILED", "BLOCKED"], "FAILED"),
        (["INVALID"], "FAILED"),
        (["ABORTED", "SKIPPED"], "FAILED"),
    ],
)
def test_a_run_is_called_a_success_only_if_it_was_one(states: list[str], verdict: str) -> None:
    jobs = [job(f"j{number}", Outcome(state)) for number, state in enumerate(states)]
    assert verdict_of(jobs, None) == verdict


def test_a_run_that_failed_itself_is_failed_whatever_its_jobs_say() -> None:
    assert verdict_of([job("a", Outcome.SUCCEEDED)], STOPPED) is Verdict.FAILED


def test_jobs_without_an_outcome_end_as_honestly_as_can_be_said() -> None:
    jobs = [
        job("failed", Outcome.FAILED),
        job("below", waiting_on=frozenset({"failed"})),
        job("further", waiting_on=frozenset({"below"})),
        job("never", Progress.WAITING),
        job("behind", waiting_on=frozenset({"never"})),
        job("running", Progress.RUNNING),
        job("good", Outcome.SUCCEEDED),
    ]
    lost = {found.job.job_name: found for found in lost_jobs(jobs, None)}
    outcomes = {name: found.ending.outcome.value for name, found in lost.items()}
    assert outcomes == {
        "below": "BLOCKED",
        "further": "BLOCKED",
        "never": "ABORTED",
        "behind": "BLOCKED",
        "running": "FAILED",
    }
    assert lost["further"].culprit == "failed"
    assert lost["further"].ending.cause == "upstream failed did not succeed"
    assert lost["never"].ending.cause == "the run ended before its turn came"
    assert "without reporting" in lost["running"].ending.cause


def test_jobs_of_a_stopped_run_say_what_stopped_it() -> None:
    lost = lost_jobs([job("a", Progress.RUNNING), job("b")], STOPPED)
    assert [found.ending.outcome for found in lost] == [Outcome.ABORTED, Outcome.ABORTED]
    why = "Run Jobs: States.ItemReaderFailed: no such key"
    assert lost[0].ending.cause.endswith(f"what it started may still go on; {why}")
    assert lost[1].ending.cause.endswith(f"before its turn came; {why}")


def test_a_job_whose_upstream_succeeded_unseen_is_aborted_and_not_blocked() -> None:
    jobs = [job("a", Outcome.SUCCEEDED), job("b", waiting_on=frozenset({"a"}))]
    assert lost_jobs(jobs, None)[0].ending.outcome is Outcome.ABORTED


def test_only_what_others_may_not_know_is_reported_once_more() -> None:
    blocked = job("b", Outcome.BLOCKED, error="JobBlocked", ended_at="x", blocked_by="a")
    planned = job("p", Outcome.BLOCKED, cause="upstream x is INVALID")
    lost = job("l", Outcome.ABORTED, error="NoOutcomeReported", ended_at="x")
    jobs = [blocked, planned, lost, job("a", Outcome.FAILED, ended_at="x")]
    assert unreported(jobs, None) == [lost]
    assert unreported(jobs, STOPPED) == [blocked, lost]


def test_a_run_ends_with_its_verdict_and_counts() -> None:
    jobs = [job("a", Outcome.SUCCEEDED), job("b", Outcome.FAILED), job("c", Outcome.FAILED)]
    run = ended_run(RUN, jobs, {"job_id": "x", "execution_arn": "", "started_at": ""}, "now")
    assert (run.verdict, run.ended_at) == (Verdict.PARTIAL, "now")
    assert run.outcomes == {"SUCCEEDED": 1, "FAILED": 2}


def test_only_pools_that_somebody_came_to_are_swept() -> None:
    jobs = [job("a", pool="x", arrived_at="t"), job("b", pool="x", arrived_at="t"), job("c")]
    assert pools_of(jobs) == ["x"]


@pytest.mark.parametrize(
    ("stated", "category", "day"),
    [
        ({"category": "Daily"}, "Daily", ""),
        ({"category": "Daily", "logical_date": "2026-11-21"}, "Daily", "2026-11-21"),
        ({"category": "Daily", "logical_date": "tomorrow"}, "Daily", ""),
        (None, "", ""),
    ],
)
def test_a_run_that_could_not_be_planned_is_known_by_its_input(
    stated: Any, category: str, day: str
) -> None:
    event: Any = {
        "job_id": "j",
        "execution_arn": "arn",
        "started_at": "2026-11-21T05:00:00Z",
        "input": stated,
    }
    run = unplanned_run(event)
    assert (run.category, run.logical_date, run.started_at) == (
        category,
        day,
        "2026-11-21T05:00:00.000Z",
    )


ENDED = replace(RUN, verdict=Verdict.PARTIAL, ended_at="2026-11-21T05:12:05.000Z")
JOBS = [
    job(
        "Extract_Covid",
        Outcome.SUCCEEDED,
        job_type="python_shell",
        figures=Figures(49068, 49000, 68, 0, 10, 41.4, 2.6),
    ),
    job("Load_Covid", Outcome.FAILED, error="Glue.X", cause="no such bucket", failed_before=2),
    job("Report", Outcome.BLOCKED, error="JobBlocked", blocked_by="Load_Covid", ended_at="x"),
    job("Odd", Outcome.SUCCEEDED, error="MalformedResultError", cause="result.json is no JSON"),
    job("Monthly", Outcome.SKIPPED, cause="not due on SATURDAY 2026-11-21: DAY 1"),
    job("Bad", Outcome.INVALID, cause="RunCondition: 'FUNDAY' is no day"),
    job("Below_Bad", Outcome.BLOCKED, cause="upstream Bad is INVALID"),
]


def test_the_digest_reads_like_a_letter() -> None:
    assert (
        digest_of(ENDED, JOBS, None, "dev")
        == """\
Verdict:      PARTIAL
Category:     Daily_Covid
Logical date: 2026-11-21
Job ID:       20261121T050000Z-7b0f
Environment:  dev
Started by:   schedule
Time:         2026-11-21 05:00:02 to 05:12:05 UTC, 12 min 3 s
Jobs:         2 SUCCEEDED, 1 FAILED, 2 BLOCKED, 1 SKIPPED, 1 INVALID
Rows:         49,068 read, 49,000 written, 68 rejected, 0 filtered
Glue:         0.001 DPU-hours
Execution:    arn:aws:states:eu-central-1:123456789012:execution:pipeline:x

What failed
-----------
Load_Covid (spark) FAILED: Glue.X: no such bucket
    so these were blocked: Report
    it had failed 2 times before

Bad rows, to be mended in the control table
-------------------------------------------
Bad: RunCondition: 'FUNDAY' is no day

Blocked
-------
Below_Bad: upstream Bad is INVALID

Succeeded, but to be looked at
------------------------------
Odd: result.json is no JSON

Left out
--------
Monthly: not due on SATURDAY 2026-11-21: DAY 1

Jobs
----
job            type          outcome      read  written  rejected  seconds
Load_Covid     spark         FAILED          -        -         -        -
Report         spark         BLOCKED         -        -         -        -
Below_Bad      spark         BLOCKED         -        -         -        -
Extract_Covid  python_shell  SUCCEEDED  49,068   49,000        68       41
Odd            spark         SUCCEEDED       -        -         -        -

How to go on
------------
The next run of Daily_Covid tries failed and blocked jobs again.
To run them again for 2026-11-21: penstock rerun 20261121T050000Z-7b0f
Mend the bad rows first: a job with a bad row is not run.
"""
    )


def test_the_digest_of_a_good_run_has_no_advice() -> None:
    run = replace(ENDED, verdict=Verdict.SUCCEEDED)
    digest = digest_of(run, JOBS[:1], None, "dev")
    assert "How to go on" not in digest
    assert "What failed" not in digest


def test_the_digest_of_a_stopped_run_says_what_stopped_it() -> None:
    failure: Any = {
        "state": "Plan Run",
        "error": "UnknownCategoryError",
        "cause": '{"errorMessage": "no row has the JobCategory", "errorType": "x"}',
    }
    run = replace(RunRecord("j", category="Dayly"), verdict=Verdict.FAILED)
    digest = digest_of(run, [], failure, "dev")
    assert "Plan Run: UnknownCategoryError: no row has the JobCategory\n" in digest
    assert '{"category": "Dayly"}' in digest


def test_a_huge_run_has_a_digest_that_people_and_sns_can_take() -> None:
    jobs = [
        job(f"job_{number:05}", Outcome.FAILED, error="E", cause="x" * 1000)
        for number in range(10_000)
    ]
    digest = digest_of(ENDED, jobs, None, "dev")
    assert len(digest) < 60_000
    assert "… and 9970 more" in digest
    assert "… and 9901 more" in digest


def test_the_subject_is_short_ascii_whatever_the_names() -> None:
    assert subject_of(ENDED, JOBS) == (
        "Penstock PARTIAL: Daily_Covid 2026-11-21 (2 of 6 jobs succeeded)"
    )
    long = replace(ENDED, category="Ü" * 200)
    assert len(subject_of(long, JOBS)) == 100
    assert subject_of(long, JOBS).isascii()
    assert subject_of(RunRecord("j", verdict=Verdict.FAILED), []) == "Penstock FAILED: a run"


def test_without_redshift_there_is_no_log_statement() -> None:
    event: Any = {"job_id": "j", "execution_arn": "arn", "started_at": "t"}
    assert log_of([(ENDED, JOBS)], SITE) is None
    assert response((ENDED, JOBS), None, event, SITE)["log_statement"] is None
