"""Which jobs a run executes, in which order and with which arguments, and which it does not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pytest

from penstock.domain.control_row import read_row
from penstock.domain.errors import InvalidRequestError, UnknownCategoryError
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.plan import counts_of, job_records
from penstock.domain.plan_line import PlanDocument, PlanEntry, PlanLine
from penstock.domain.planning import (
    concerns,
    is_done,
    newly_failed,
    plan_of,
    read_rows,
)
from penstock.domain.redshift import Redshift
from penstock.domain.requested_run import requested_run
from penstock.domain.site import Site
from penstock.domain.task_arguments import start_token

JOB_ID = "20261121T050000Z-7b0f"
SITE = Site(
    "dev", "penstock-dev", "data-bucket", "UTC", Redshift("wg", "", "dev", "arn:s", "arn:r")
)
# 21 November 2026 is a Saturday.
EVENT: Any = {
    "job_id": JOB_ID,
    "execution_arn": "arn:execution",
    "started_at": "2026-11-21T05:00:02.120Z",
    "input": {"category": "Daily", "scheduled_time": "2026-11-21T05:00:00Z"},
}


def row(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "JobName": name,
        "JobCategory": "Daily",
        "JobType": "python_shell",
        "Target": "{stack}-load",
    } | changes


def asked(stated: Any) -> Any:
    return {**EVENT, "input": stated}


def plan(
    *rows: Mapping[str, Any],
    messages: Iterable[Mapping[str, Any]] = (),
    calendars: Mapping[str, frozenset[date]] | None = None,
    **request: Any,
) -> PlanDocument:
    run = requested_run(asked({**EVENT["input"], **request}))
    return plan_of(run, [read_row(r) for r in rows], calendars or {}, messages, SITE)


def entries(document: PlanDocument) -> dict[str, PlanEntry]:
    return {entry["JobName"]: entry for entry in document["jobs"]}


def decisions(document: PlanDocument) -> dict[str, str]:
    return {entry["JobName"]: entry["Decision"] for entry in document["jobs"]}


def order(document: PlanDocument) -> list[str]:
    return [line["job_name"] for line in document["lines"]]


def failed(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "job",
        "category": "Daily",
        "job_name": name,
        "job_id": "20261120T050000Z-0001",
        "logical_date": "2026-11-20",
        "attempt": 1,
        "outcome": "FAILED",
        "error": "States.TaskFailed",
        "cause": "boom",
        "times": 1,
    } | changes


def test_jobs_due_today_are_planned_and_the_others_left_out_with_the_reason() -> None:
    document = plan(row("a"), row("b", RunCondition="MONDAY"))
    assert decisions(document) == {"a": "PLANNED", "b": "SKIPPED"}
    assert entries(document)["a"]["Reason"] == "due: ALL_DAYS"
    assert entries(document)["b"]["Reason"] == "not due on SATURDAY 2026-11-21: MONDAY"
    assert counts_of(document) == {"planned": 1, "left_out": 1, "invalid": 0}
    assert order(document) == ["a"]


def test_each_row_is_judged_on_the_day_of_its_own_zone() -> None:
    document = plan(
        row("here", RunCondition="SATURDAY", TimeZone="UTC"),
        row("tokyo", RunCondition="SUNDAY", TimeZone="Asia/Tokyo"),
        scheduled_time="2026-11-21T23:30:00Z",
    )
    assert decisions(document) == {"here": "PLANNED", "tokyo": "PLANNED"}
    assert document["logical_date"] == "2026-11-21"


def test_a_job_with_a_skip_flag_is_left_out_with_its_reason() -> None:
    document = plan(
        row("a", SkipFlag="Yes", SkipReason="source is down", SkipUntil="2026-12-01"),
        row("b", SkipFlag="Yes", JobType="nonsense"),
    )
    assert entries(document)["a"]["Reason"] == "SkipFlag until 2026-12-01: source is down"
    assert decisions(document)["b"] == "SKIPPED"


def test_a_skip_flag_that_cannot_be_read_does_not_skip() -> None:
    assert decisions(plan(row("a", SkipFlag="perhaps"))) == {"a": "INVALID"}


def test_a_job_of_another_environment_is_left_out() -> None:
    document = plan(row("a", Environment="prod"), row("b", Environment="dev"))
    assert entries(document)["a"]["Reason"] == "belongs to prod"
    assert order(document) == ["b"]


def test_a_bad_row_is_invalid_and_blocks_what_depends_on_it_and_nothing_else() -> None:
    document = plan(
        row("bad", RunCondition="FUNDAY"),
        row("below", DependsOn=["bad"]),
        row("further_below", DependsOn=["below"]),
        row("beside"),
    )
    assert decisions(document) == {
        "bad": "INVALID",
        "below": "BLOCKED",
        "further_below": "BLOCKED",
        "beside": "PLANNED",
    }
    assert entries(document)["below"]["Reason"] == "upstream bad is INVALID"
    assert entries(document)["further_below"]["Reason"] == "upstream below is BLOCKED"
    assert entries(document)["bad"]["Problems"][0].startswith("RunCondition: 'FUNDAY'")


def test_an_unknown_dependency_makes_a_job_invalid() -> None:
    document = plan(row("a", DependsOn=["ghost", "b"]), row("b"))
    assert decisions(document) == {"a": "INVALID", "b": "PLANNED"}
    assert entries(document)["a"]["Reason"] == "DependsOn: 'ghost' is no job of the control table"


def test_jobs_of_a_cycle_are_invalid_those_below_blocked_and_the_rest_runs() -> None:
    document = plan(
        row("a", DependsOn=["c"]),
        row("b", DependsOn=["a"]),
        row("c", DependsOn=["b"]),
        row("below", DependsOn=["b", "free"]),
        row("free"),
        row("above"),
    )
    assert decisions(document) == {
        "a": "INVALID",
        "b": "INVALID",
        "c": "INVALID",
        "below": "BLOCKED",
        "free": "PLANNED",
        "above": "PLANNED",
    }
    assert entries(document)["a"]["Reason"] == "DependsOn: a, b, c wait for one another"


def test_a_job_waits_for_what_its_skipped_upstream_would_have_waited_for() -> None:
    document = plan(
        row("extract"),
        row("monthly", RunCondition="DAY 1", DependsOn=["extract"]),
        row("load", DependsOn=["monthly"]),
    )
    assert decisions(document)["load"] == "PLANNED"
    assert entries(document)["load"]["WaitsOn"] == ["extract"]
    assert order(document) == ["extract", "load"]


def test_a_skipped_job_of_a_cycle_does_not_hide_the_cycle() -> None:
    document = plan(row("a", DependsOn=["b"]), row("b", DependsOn=["a"], SkipFlag=True))
    assert decisions(document) == {"a": "INVALID", "b": "SKIPPED"}


def test_a_job_on_which_too_many_depend_is_invalid() -> None:
    many = [row(f"j{number}", DependsOn=["hub"]) for number in range(5_001)]
    document = plan(row("hub"), *many)
    assert decisions(document)["hub"] == "INVALID"
    assert counts_of(document) == {"planned": 0, "left_out": 5_001, "invalid": 1}


def test_an_unknown_calendar_makes_a_job_invalid_and_a_known_one_decides() -> None:
    document = plan(
        row("a", RunCondition="ALL_DAYS EXCEPT Easter"),
        row("b", RunCondition="ALL_DAYS EXCEPT Holidays"),
        calendars={"Holidays": frozenset({date(2026, 11, 21)})},
    )
    assert decisions(document) == {"a": "INVALID", "b": "SKIPPED"}
    assert entries(document)["a"]["Reason"] == "RunCondition: there is no calendar 'Easter'"


def test_the_longest_path_goes_first_unless_a_priority_is_given() -> None:
    document = plan(
        row("short"),
        row("long"),
        row("next", DependsOn=["long"]),
        row("urgent", Priority=1000),
    )
    priorities = {name: entry["Priority"] for name, entry in entries(document).items()}
    assert priorities == {"urgent": 1000, "long": 120, "short": 60, "next": 60}
    assert order(document) == ["urgent", "long", "next", "short"]


def test_the_last_run_times_weigh_the_paths() -> None:
    document = plan(row("slow", LastSeconds=4000), row("quick", LastSeconds=2.4))
    assert entries(document)["slow"]["Priority"] == 4000
    assert entries(document)["quick"]["Priority"] == 2


def test_a_line_holds_what_the_child_execution_needs() -> None:
    (line,) = plan(
        row(
            "load",
            JobType="spark",
            WorkerType="G.1X",
            NumberOfWorkers=4,
            TimeoutMinutes=30,
            Arguments={
                "--source_url": "s3://{data_bucket}/x/{logical_date}",
                "rules": [1, "{stack}"],
            },
        )
    )["lines"]
    assert line == PlanLine(
        job_id=JOB_ID,
        job_name="load",
        token=start_token(JOB_ID, "load", 1),
        job_type="spark",
        target="penstock-dev-load",
        arguments={
            "--job_id": JOB_ID,
            "--job_name": "load",
            "--category": "Daily",
            "--logical_date": "2026-11-21",
            "--attempt": "1",
            "--result_path": f"s3://data-bucket/runs/{JOB_ID}/jobs/load/1/result.json",
            "--data_path": "s3://data-bucket/data",
            "--source_url": "s3://data-bucket/x/2026-11-21",
            "--rules": '[1,"penstock-dev"]',
        },
        timeout_seconds=1800,
        worker_type="G.1X",
        number_of_workers=4,
        max_capacity=None,
        attempt=1,
        category="Daily",
        logical_date="2026-11-21",
        turn_timeout_seconds=86_400,
    )


def arguments(**stated: Any) -> dict[str, str]:
    return plan(row("load", Arguments=stated))["lines"][0]["arguments"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        (5, "5"),
        (True, "true"),
        (None, "null"),
        ({"a": "{category}", "b": [{"c": 1.5}]}, '{"a":"Daily","b":[{"c":1.5}]}'),
        ("Grüße", "Grüße"),
        ({"ü": "é"}, '{"ü":"é"}'),
        ("{{logical_date}}", "{logical_date}"),
        (r"\d{4}-\d{2} {} { x }", r"\d{4}-\d{2} {} { x }"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("{redshift_workgroup}|{redshift_cluster}|{redshift_database}", "wg||dev"),
        ("{redshift_secret_arn} {redshift_copy_role_arn} {environment}", "arn:s arn:r dev"),
        ("{data_path}/{job_id}", f"s3://data-bucket/data/{JOB_ID}"),
    ],
)
def test_arguments_become_text_with_their_placeholders_filled(value: Any, expected: str) -> None:
    assert arguments(option=value)["--option"] == expected


def test_a_value_put_into_json_is_escaped_there() -> None:
    assert json.loads(arguments(sql={"q": 'say "{category}"'})["--sql"]) == {"q": 'say "Daily"'}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Arguments": {"x": "{logicaldate}"}}, "Arguments: there is no placeholder {logicaldate}"),
        ({"Arguments": {"x": ["{nope}"]}}, "there is no placeholder {nope}"),
        ({"Target": "{stak}-load"}, "there is no placeholder {stak}"),
        ({"Arguments": {"job_id": "mine"}}, "--job_id is set by Penstock"),
        ({"Arguments": {"--result_path": "mine"}}, "--result_path is set by Penstock"),
    ],
)
def test_arguments_that_cannot_be_filled_in_make_the_job_invalid(
    changes: dict[str, Any], problem: str
) -> None:
    entry = entries(plan(row("load", **changes)))["load"]
    assert entry["Decision"] == "INVALID"
    assert problem in entry["Reason"]


def test_a_failed_job_joins_the_plan_although_it_is_not_due() -> None:
    document = plan(
        row("weekly", RunCondition="MONDAY"),
        row("daily"),
        messages=[failed("weekly", times=2), failed("daily")],
    )
    assert decisions(document) == {"weekly": "PLANNED", "daily": "PLANNED"}
    reason = "failed 2 times, last for 2026-11-20 in run 20261120T050000Z-0001"
    assert entries(document)["weekly"]["Reason"] == reason
    assert entries(document)["weekly"]["ShouldRunToday"] is False
    assert entries(document)["weekly"]["FailedBefore"] == 2


def test_several_messages_for_a_job_are_one_job_with_the_latest_failure() -> None:
    older, newer = failed("a", job_id="20261101T0", times=1), failed("a", times=2)
    document = plan(row("a"), messages=[newer, older, newer])
    assert order(document) == ["a"]
    assert entries(document)["a"]["FailedBefore"] == 2


def test_a_failed_job_that_is_skipped_or_invalid_stays_on_the_queue() -> None:
    document = plan(
        row("a", SkipFlag=True),
        row("b", JobType="?"),
        row("c"),
        messages=[failed("a"), failed("b"), failed("c")],
    )
    assert [is_done(failed(name), document) for name in "abc"] == [False, False, True]


def test_a_failed_job_without_a_row_is_reported_and_done() -> None:
    document = plan(row("a"), messages=[failed("gone")])
    assert decisions(document)["gone"] == "SKIPPED"
    assert "has no row in the control table any more" in entries(document)["gone"]["Reason"]
    assert is_done(failed("gone"), document)


def test_a_failure_of_this_very_run_is_not_taken_off_the_queue_by_a_late_repeat() -> None:
    document = plan(row("a"))
    assert not is_done(failed("a", job_id=JOB_ID), document)


def test_a_job_that_is_due_but_cannot_run_goes_to_the_error_queue_once() -> None:
    rows = [row("bad", JobType="?"), row("below", DependsOn=["bad"])]
    rows += [row("not_due", JobType="?", RunCondition="MONDAY"), row("odd", RunCondition="?")]
    sent = [(job.job_name, job.outcome, job.times) for job in newly_failed(plan(*rows))]
    assert sorted(sent) == [("bad", "INVALID", 0), ("below", "BLOCKED", 0), ("odd", "INVALID", 0)]
    again = plan(*rows, messages=[failed("bad"), failed("below"), failed("odd")])
    assert newly_failed(again) == []


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (failed("a"), True),
        (failed("a", category="Other"), False),
        (failed(""), False),
        ({"kind": "run_log", "job_id": "x"}, True),
        ({"kind": "run_log"}, False),
        ({"kind": "reject", "category": "Daily"}, False),
        ({}, False),
    ],
)
def test_a_run_takes_its_own_categorys_failures_and_unwritten_logs_from_the_queue(
    message: dict[str, Any], wanted: bool
) -> None:
    assert concerns("Daily", message) is wanted


def test_the_records_of_a_plan_know_who_waits_for_whom() -> None:
    document = plan(
        row("extract", Pool="oracle"),
        row("load", DependsOn=["extract"]),
        row("monthly", RunCondition="DAY 1"),
        row("bad", JobType="?"),
        messages=[failed("load", times=2)],
    )
    records = {job.job_name: job for job in job_records(document)}
    assert (records["extract"].pool, records["extract"].dependents) == ("oracle", ("load",))
    assert records["load"].waiting_on == {"extract"}
    assert records["load"].failed_before == 2
    assert records["load"].state is Progress.PLANNED
    assert records["monthly"].outcome is Outcome.SKIPPED
    assert records["bad"].outcome is Outcome.INVALID
    assert records["bad"].cause.startswith("JobType: '?'")


def test_planning_the_same_rows_again_gives_the_same_plan() -> None:
    rows = [row(name, DependsOn=["m"] if name != "m" else []) for name in "zmxay"]
    assert plan(*rows) == plan(*reversed(rows))


def test_ten_thousand_jobs_in_a_chain_are_planned() -> None:
    rows = [row(f"j{n:05}", DependsOn=[f"j{n - 1:05}"] if n else []) for n in range(10_000)]
    document = plan(*rows)
    assert counts_of(document)["planned"] == 10_000
    assert order(document) == sorted(order(document))


def test_a_category_without_rows_is_unknown() -> None:
    with pytest.raises(UnknownCategoryError, match="'Nightly'"):
        read_rows([], "Nightly")


@pytest.mark.parametrize(
    "stated", [{}, {"category": ""}, {"category": 5}, {"category": "a/b"}, None]
)
def test_a_run_needs_a_category(stated: Any) -> None:
    with pytest.raises(InvalidRequestError, match="category"):
        requested_run(asked(stated))
