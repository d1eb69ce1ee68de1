"""Reconcile Runs: whatever has died, each job ends with one outcome and people hear of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from tests.unit.conftest import RUN_TABLE
from tests.unit.handlers.conftest import House
from tests.unit.handlers.fake_step_functions import FakeStepFunctions, refusal

from penstock.adapters import clients
from penstock.adapters.leases import Leases
from penstock.domain.errors import InvalidRequestError
from penstock.domain.history import History, Sample
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.lane import Lane
from penstock.domain.open_run import OpenRun
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.run_record import RunRecord
from penstock.domain.waiter import Waiter
from penstock.handlers.parts import Parts, now

RUN = OpenRun("20261121T050000Z-1", "Daily", "2026-11-21", "parent", "2026-11-21T05:00:00.000Z")
RULE = "penstock-dev-reconcile-runs"


class Died(BaseException):
    """A Lambda that was killed; no `except Exception` may hold it up."""


class Scene:
    """A house with one open run, and Step Functions in memory."""

    def __init__(self, house: House, step_functions: FakeStepFunctions, topic: list[Any]) -> None:
        self.house, self.step_functions, self.topic = house, step_functions, topic
        self.leases = Leases(house.dynamodb, RUN_TABLE, lambda: 2_000_000_000)

    def open(self, *jobs: JobRecord, run: OpenRun = RUN) -> None:
        self.house.runs.create_jobs(jobs)
        record = RunRecord(
            run.job_id, run.category, run.logical_date, "schedule", run.lane,
            execution_arn=run.execution_arn, started_at=run.started_at, planned=len(jobs),
        )  # fmt: skip
        self.house.runs.save(record)
        assert self.leases.take(run, None) is None
        self.step_functions.parents[run.execution_arn] = "RUNNING"
        for row in jobs:
            self.house.apply({"JobName": row.job_name, "JobCategory": run.category})

    def arrive(self, name: str, run: OpenRun = RUN) -> str:
        arn = f"{run.execution_arn}/{name}"
        request = {"job_id": run.job_id, "job_name": name, "attempt": 1}
        self.house.call("await_turn", request | {"task_token": f"t-{name}", "execution_arn": arn})
        self.step_functions.children[arn] = "RUNNING"
        return arn

    def reconcile(self) -> dict[str, int]:
        counts: dict[str, int] = self.house.call("reconcile_runs", {"check": "runs"})
        return counts

    def job(self, name: str, run: OpenRun = RUN) -> JobRecord:
        return self.house.job(run.job_id, name)

    def rule(self) -> str:
        return str(boto3.client("events").describe_rule(Name=RULE)["State"])

    def taken(self) -> list[dict[str, Any]]:
        """Take all messages off the error queue."""
        sqs, url = self.house.sqs, self.house.queue_url
        bodies = []
        while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def state(self) -> Any:
        """Return what has to be the same however often somebody died on the way."""
        jobs = [
            (job.job_name, job.state, sorted(job.waiting_on), job.cause, job.blocked_by)
            for run in self.house.runs.runs_since("2")
            for job in self.house.runs.jobs_of(run.job_id)
        ]
        rows = sorted(
            (row["JobName"], row.get("StatusFlag"), row.get("LastJobId"))
            for row in self.house.control.rows()
        )
        return {
            "jobs": jobs,
            "rows": rows,
            "holders": self.house.pools.pool("default").holders,
            "queue": list(self.house.pools.queue("default", 10)),
            "failed": {(m["kind"], m.get("job_name"), m.get("times")) for m in self.taken()},
            "granted": set(self.step_functions.granted),
            "refused": set(self.step_functions.refused),
            "verdicts": [run.verdict for run in self.house.runs.runs_since("2")],
            "open": self.leases.open_runs(),
            "told": {message["Subject"] for message in self.topic},
            "rule": self.rule(),
        }


@pytest.fixture
def scene(house: House, monkeypatch: pytest.MonkeyPatch) -> Scene:
    step_functions, topic = FakeStepFunctions(), list[Any]()
    monkeypatch.setattr(clients, "step_functions", lambda: step_functions)
    monkeypatch.setattr(clients, "sns", lambda: Recorder(topic))
    monkeypatch.setenv("RECONCILE_RULE", RULE)
    monkeypatch.setenv("NOTIFICATION_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:topic")
    monkeypatch.setenv("DEFAULT_POOL_LIMIT", "5")
    for function in ("await_turn", "settle_job", "close_run", "reconcile_runs"):
        monkeypatch.setattr(f"penstock.handlers.{function}.parts", Parts())
    events = boto3.client("events")
    events.put_rule(Name=RULE, ScheduleExpression="rate(5 minutes)", State="ENABLED")
    return Scene(house, step_functions, topic)


class Recorder:
    def __init__(self, sent: list[Any]) -> None:
        self.sent = sent

    def publish(self, **message: Any) -> None:
        self.sent.append(message)


def job(name: str, *waiting_on: str, run: OpenRun = RUN, **changes: Any) -> JobRecord:
    planned = JobRecord(
        run.job_id, name, "spark", run.category, run.logical_date, Progress.PLANNED,
        waiting_on=frozenset(waiting_on), lane=run.lane,
    )  # fmt: skip
    return replace(planned, **changes)


def test_a_child_stopped_by_hand_is_settled_and_its_slot_is_free(scene: Scene) -> None:
    scene.open(job("a", dependents=("b",)), job("b", "a"), job("c"))
    stopped = scene.arrive("a")
    for name in ("b", "c"):
        scene.arrive(name)
    scene.step_functions.children[stopped] = ("ABORTED", "Ann", "wrong file")
    assert scene.reconcile() == {"runs": 1, "lost": 1}
    ended = scene.job("a")
    assert (ended.outcome, ended.error) == (Outcome.ABORTED, "Ann")
    assert (
        ended.cause == "its execution was stopped: wrong file; what it had started may still go on"
    )
    assert scene.job("b").outcome is Outcome.BLOCKED
    assert list(scene.step_functions.refused) == ["t-b"]
    assert scene.job("c").state is Progress.RUNNING
    assert scene.house.pools.pool("default").holders == {scene.job("c").key.holder}
    assert [m["job_name"] for m in scene.house.messages()] == ["a"]
    assert scene.house.control.rows_named(["a"])["a"]["StatusFlag"] == "ABORTED"
    assert scene.rule() == "ENABLED"


@pytest.mark.parametrize(
    ("child", "outcome", "error"),
    [
        ("SUCCEEDED", "FAILED", "NoOutcomeReported"),
        ("TIMED_OUT", "TIMED_OUT", "ExecutionTimedOut"),
        ("ABORTED", "ABORTED", "ExecutionAborted"),
        (("FAILED", "States.Runtime", "no such path"), "FAILED", "States.Runtime"),
        (("FAILED", "States.Timeout", ""), "TIMED_OUT", "States.Timeout"),
        (None, "FAILED", "NoOutcomeReported"),
    ],
)
def test_the_outcome_says_how_the_execution_ended(
    scene: Scene, child: Any, outcome: str, error: str
) -> None:
    scene.open(job("a"), job("b"))
    arn = scene.arrive("a")
    scene.arrive("b")
    scene.step_functions.children[arn] = child
    scene.reconcile()
    assert (str(scene.job("a").outcome), scene.job("a").error) == (outcome, error)


def test_a_list_that_is_behind_makes_nobody_dead(scene: Scene) -> None:
    scene.open(job("a"))
    scene.arrive("a")
    scene.step_functions.listed = set()
    assert scene.reconcile() == {"runs": 1}
    assert scene.job("a").state is Progress.RUNNING


def test_living_children_are_found_in_lists_and_not_one_by_one(scene: Scene) -> None:
    names = [f"j{number}" for number in range(30)]
    scene.open(*(job(name) for name in names))
    for name in names:
        scene.arrive(name)
    scene.reconcile()
    assert scene.step_functions.described == ["parent"]


def test_a_job_that_settles_while_it_is_looked_at_keeps_its_outcome(scene: Scene) -> None:
    scene.open(job("a"), job("b"))
    arn = scene.arrive("a")
    scene.arrive("b")
    scene.step_functions.children[arn] = "SUCCEEDED"

    def settle(what: str) -> None:
        if what == "after DescribeExecution" and scene.step_functions.described[-1] == arn:
            scene.step_functions.around = lambda _: None
            result = {"job_id": RUN.job_id, "job_name": "a", "attempt": 1, "result": {}}
            scene.house.call("settle_job", result)

    scene.step_functions.around = settle
    scene.reconcile()
    assert scene.job("a").outcome is Outcome.SUCCEEDED
    assert scene.house.messages() == []


def test_a_job_whose_child_ended_before_it_could_arrive_is_found_when_all_have_come(
    scene: Scene,
) -> None:
    scene.open(job("a"), job("below", "a"), replace(job("a2"), dependents=()))
    scene.arrive("a")
    scene.arrive("below")
    scene.step_functions.children["never told"] = "ABORTED"
    scene.step_functions.pending = 1
    assert scene.reconcile() == {"runs": 1}
    scene.step_functions.pending = 0
    assert scene.reconcile() == {"runs": 1, "lost": 1}
    assert (scene.job("a2").outcome, scene.job("a2").error) == (
        Outcome.ABORTED,
        "NoOutcomeReported",
    )


def test_a_young_run_whose_children_have_not_arrived_is_left_alone(scene: Scene) -> None:
    young = replace(RUN, started_at=now())
    scene.open(job("a", run=young), run=young)
    scene.step_functions.children["somebody"] = "ABORTED"
    assert scene.reconcile() == {"runs": 1}


def test_a_backfill_sends_no_messages_and_leaves_the_row_alone(scene: Scene) -> None:
    run = replace(RUN, lane=Lane.BACKFILL)
    scene.open(job("a", run=run), job("b", run=run), run=run)
    arn = scene.arrive("a")
    scene.arrive("b")
    scene.step_functions.children[arn] = "ABORTED"
    assert scene.reconcile() == {"runs": 1, "lost": 1}
    scene.step_functions.parents["parent"] = scene.step_functions.children["parent/b"] = "ABORTED"
    assert scene.reconcile() == {"runs": 1, "closed": 1}
    assert scene.house.messages() == []
    assert all("StatusFlag" not in row for row in scene.house.control.rows())
    assert scene.leases.open_runs() == []


def test_a_run_stopped_by_hand_is_closed_once_no_child_lives(scene: Scene) -> None:
    scene.open(job("a", dependents=("b",)), job("b", "a"), job("c"))
    for name in "abc":
        scene.arrive(name)
    scene.step_functions.parents["parent"] = ("ABORTED", "", "out of time")
    assert scene.reconcile() == {"runs": 1, "dying": 1}
    assert scene.leases.open_runs() == [RUN]
    for arn in scene.step_functions.children:
        scene.step_functions.children[arn] = "ABORTED"
    assert scene.reconcile() == {"runs": 1, "closed": 1}
    outcomes = {j.job_name: j.outcome for j in scene.house.runs.jobs_of(RUN.job_id)}
    assert outcomes == {"a": "ABORTED", "b": "BLOCKED", "c": "ABORTED"}
    assert {m["job_name"] for m in scene.house.messages()} == {"a", "b", "c"}
    (message,) = scene.topic
    assert message["Subject"].startswith("Penstock FAILED: Daily 2026-11-21")
    assert "Run: ExecutionAborted: out of time" in message["Message"]
    assert message["MessageAttributes"]["verdict"]["StringValue"] == "FAILED"
    assert scene.house.pools.pool("default").holders == frozenset()
    assert (scene.leases.open_runs(), scene.rule()) == ([], "DISABLED")


def test_a_run_of_which_step_functions_knows_nothing_any_more_is_closed(scene: Scene) -> None:
    scene.open(job("a"))
    scene.step_functions.parents.clear()
    assert scene.reconcile() == {"runs": 1, "closed": 1}
    assert scene.job("a").outcome is Outcome.ABORTED


def test_a_run_that_died_while_it_was_planned_is_closed(scene: Scene) -> None:
    assert scene.leases.take(RUN, None) is None
    scene.step_functions.parents["parent"] = "TIMED_OUT"
    assert scene.reconcile() == {"runs": 1, "closed": 1}
    run = scene.house.runs.run(RUN.job_id)
    assert run
    assert (run.verdict, run.category, run.logical_date) == ("FAILED", "Daily", "2026-11-21")
    assert scene.leases.open_runs() == []


def test_a_closed_run_that_kept_its_lease_keeps_its_verdict(scene: Scene) -> None:
    scene.open()
    request = {
        "job_id": RUN.job_id,
        "execution_arn": "parent",
        "started_at": RUN.started_at,
    }
    assert scene.house.call("close_run", request)["verdict"] == "SUCCEEDED"
    scene.leases.take(RUN, None)
    scene.step_functions.parents["parent"] = "ABORTED"
    scene.reconcile()
    run = scene.house.runs.run(RUN.job_id)
    assert run
    assert run.verdict == "SUCCEEDED"


def test_an_unlogged_run_is_logged_by_the_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDSHIFT_WORKGROUP", "penstock")
    scene.open(job("a"))
    scene.step_functions.parents["parent"] = "ABORTED"
    scene.reconcile()
    (message,) = [m for m in scene.house.messages() if m["kind"] == "run_log"]
    assert message["job_id"] == RUN.job_id


def test_one_run_that_cannot_be_reconciled_does_not_stop_the_others(scene: Scene) -> None:
    other = OpenRun("20261121T060000Z-2", "Zeta", "2026-11-21", "parent2", RUN.started_at)
    scene.open(job("a"))
    scene.open(job("z", run=other), run=other)
    scene.step_functions.parents["parent2"] = "ABORTED"
    describe = scene.step_functions.describe_execution

    def refuse(**request: Any) -> Any:
        if request["executionArn"] == "parent":
            raise refusal("AccessDeniedException", "DescribeExecution")
        return describe(**request)

    scene.step_functions.describe_execution = refuse  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup, match="1 of 2 open runs"):
        scene.reconcile()
    assert scene.leases.open_runs() == [RUN]
    assert scene.rule() == "ENABLED"


def test_a_job_far_beyond_its_usual_time_is_told_once(scene: Scene) -> None:
    usual = History((Sample(60.0), Sample(70.0), Sample(80.0)))
    scene.open(job("slow", history=usual), job("new"), job("quick", history=usual))
    for name in ("slow", "new", "quick"):
        scene.arrive(name)
    for name in ("slow", "new"):
        started(scene, name, "2026-11-21T05:00:00.000Z")
    assert scene.reconcile() == {"runs": 1, "stuck": 1}
    assert scene.reconcile() == {"runs": 1}
    (message,) = scene.topic
    assert message["Subject"] == "Penstock: 1 job takes unusually long"
    assert "slow of Daily for 2026-11-21: " in message["Message"]
    assert ", usually 70 s (run" in message["Message"]
    assert scene.job("slow").stuck_at


def test_a_rule_is_switched_on_again_if_a_run_has_begun_meanwhile(scene: Scene) -> None:
    from penstock.handlers import reconcile_runs

    disable = reconcile_runs.parts.rule.disable

    def begin() -> None:
        scene.leases.take(RUN, None)
        disable()

    reconcile_runs.parts.rule.disable = begin  # type: ignore[method-assign]
    assert scene.reconcile() == {}
    assert scene.rule() == "ENABLED"


def test_an_unknown_check_is_an_error_by_name(scene: Scene) -> None:
    with pytest.raises(InvalidRequestError, match="check"):
        scene.house.call("reconcile_runs", {"check": "all"})


def started(scene: Scene, name: str, when: str) -> None:
    scene.house.dynamodb.update_item(
        TableName=RUN_TABLE,
        Key={"PK": {"S": f"RUN#{RUN.job_id}"}, "SK": {"S": f"JOB#{name}"}},
        UpdateExpression="SET StartedAt = :when",
        ExpressionAttributeValues={":when": {"S": when}},
    )


# ------------------------------------------------------------------ a Lambda killed at every call


def leave_a_mess(scene: Scene) -> None:
    """A child was stopped; another died in Settle Job; an upstream elsewhere has ended unheard."""
    elsewhere = OpenRun("20261121T040000Z-0", "Base", "2026-11-21", "elsewhere", RUN.started_at)
    base = job("base", run=elsewhere, state=Outcome.SUCCEEDED, ended_at=RUN.started_at)
    scene.open(base, run=elsewhere)
    scene.leases.release("Base", "2026-11-21", elsewhere.job_id)
    scene.house.control.record(base)
    scene.open(
        job("stopped", dependents=("below",)), job("below", "stopped"),
        job("done", dependents=("free",)), job("free", "done"),
        job("broken", dependents=("last",)), job("last", "broken"),
        job("outside", "base"), job("alive"),
    )  # fmt: skip
    outside = Waiter("2026-11-21", JobKey(RUN.job_id, "outside", 1))
    scene.house.control.add_waiter("base", outside)
    for name in ("stopped", "done", "broken", "alive", "free", "outside", "below", "last"):
        scene.arrive(name)
    children = scene.step_functions.children
    children["parent/stopped"] = children["parent/done"] = children["parent/broken"] = "ABORTED"
    end(scene, "done", "SUCCEEDED")
    end(scene, "broken", "FAILED")


def stop_it_all(scene: Scene) -> None:
    """Somebody stops the run in the middle of all that."""
    leave_a_mess(scene)
    for arn in scene.step_functions.children:
        scene.step_functions.children[arn] = "ABORTED"
    scene.step_functions.parents["parent"] = "ABORTED"


def end(scene: Scene, name: str, state: str) -> None:
    """Write an outcome, and die before all that follows from it."""
    scene.house.dynamodb.update_item(
        TableName=RUN_TABLE,
        Key={"PK": {"S": f"RUN#{RUN.job_id}"}, "SK": {"S": f"JOB#{name}"}},
        UpdateExpression="SET #s = :s, EndedAt = :e",
        ExpressionAttributeNames={"#s": "State"},
        ExpressionAttributeValues={":s": {"S": state}, ":e": {"S": "2026-11-21T05:10:00.000Z"}},
    )


WRITES = (
    "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "SendMessage", "SendMessageBatch",
    "DisableRule", "EnableRule",
)  # fmt: skip


class Reaper:
    """Kills the Lambda right after one of its writes; what it reads in between changes nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes, self.at = 0, -1
        call = BaseClient._make_api_call  # type: ignore[attr-defined]

        def counted(client: Any, operation: str, request: Any) -> Any:
            answer = call(client, operation, request)
            if operation in WRITES:
                self.tick(operation)
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", counted)

    def tick(self, operation: str) -> None:
        if not operation.startswith(("after Describe", "after List")):
            self.writes += 1
            if self.writes == self.at:
                raise Died

    def arm(self, at: int) -> None:
        self.writes, self.at = 0, at


@pytest.fixture
def reaper(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Reaper:
    monkeypatch.setattr("penstock.handlers.parts.FEW", 1_000)  # no threads: one order of writes
    reaper = Reaper(monkeypatch)
    scene.step_functions.around = reaper.tick
    publish = Recorder.publish

    def publish_and_tick(recorder: Recorder, **message: Any) -> None:
        publish(recorder, **message)
        reaper.tick("Publish")

    monkeypatch.setattr(Recorder, "publish", publish_and_tick)
    return reaper


MESSES: dict[str, Callable[[Scene], None]] = {"mess": leave_a_mess, "stopped": stop_it_all}


def reset(scene: Scene) -> None:
    """Empty everything, for the next death."""
    for table, keys in ((RUN_TABLE, ("PK", "SK")), ("control", ("JobName",))):
        for item in scene.house.dynamodb.scan(TableName=table)["Items"]:
            key = {name: item[name] for name in keys}
            scene.house.dynamodb.delete_item(TableName=table, Key=key)
    scene.taken()
    boto3.client("events").enable_rule(Name=RULE)
    scene.topic.clear()
    fake = scene.step_functions
    for kept in (fake.parents, fake.children, fake.granted, fake.refused):
        kept.clear()


@pytest.mark.parametrize("mess", MESSES)
def test_a_lambda_killed_after_any_write_leaves_nothing_that_the_next_pass_does_not_mend(
    scene: Scene, reaper: Reaper, mess: str
) -> None:
    MESSES[mess](scene)
    expected = settled(scene)
    deaths = 0
    while killed(scene, reaper, mess, deaths + 1):
        deaths += 1
        assert settled(scene) == expected, f"killed after write {deaths}"
    assert deaths > 20, deaths


def killed(scene: Scene, reaper: Reaper, mess: str, at: int) -> bool:
    """Make the mess again and reconcile it until that write; tell whether there was one."""
    reset(scene)
    MESSES[mess](scene)
    reaper.arm(at)
    try:
        scene.reconcile()
    except Died:
        return True
    finally:
        reaper.arm(-1)
    return False


def settled(scene: Scene) -> Any:
    """Reconcile twice more, as the rule does, and return what has come of it."""
    scene.reconcile()
    scene.reconcile()
    return scene.state()


def test_a_pass_over_a_mess_leaves_it_in_order(scene: Scene) -> None:
    leave_a_mess(scene)
    assert scene.reconcile() == {"runs": 1, "lost": 1, "finished": 2, "released": 1}
    states = {j.job_name: str(j.state) for j in scene.house.runs.jobs_of(RUN.job_id)}
    assert states == {
        "stopped": "ABORTED", "below": "BLOCKED", "done": "SUCCEEDED", "free": "RUNNING",
        "broken": "FAILED", "last": "BLOCKED", "outside": "RUNNING", "alive": "RUNNING",
    }  # fmt: skip
    assert {m["job_name"] for m in scene.house.messages()} == {"stopped", "broken"}
    assert "Waiters" not in scene.house.control.rows_named(["base"])["base"]
    assert scene.reconcile() == {"runs": 1}


def test_what_is_written_twice_is_the_same_message(scene: Scene) -> None:
    stop_it_all(scene)
    scene.reconcile()
    bodies = Counter(json.dumps(m, sort_keys=True) for m in scene.house.messages())
    assert set(bodies.values()) == {1}


def test_the_hourly_check_wakes_up_the_rule_if_a_run_is_open(scene: Scene) -> None:
    scene.open(job("a"))
    boto3.client("events").disable_rule(Name=RULE)
    scene.house.call("reconcile_runs", {"check": "silent"})
    assert scene.rule() == "ENABLED"
