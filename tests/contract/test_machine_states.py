"""What every state must have, and the promises about the run as a whole."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from . import machine
from .machine import State

TRANSIENT_AT_BEST = {"States.ALL", "States.TaskFailed"}
# Begins like a command to an operator ("Run Jobs"), is a question (a Choice), or names an end.
NAME = re.compile(r"[A-Z]\w+( [A-Z]\w+)+\??|Notify|Verdict\?")


def by_name(states: list[State] | tuple[State, ...]) -> list[object]:
    return [pytest.param(state, id=state.name) for state in states]


every_state = pytest.mark.parametrize("state", by_name(machine.states()))
every_task = pytest.mark.parametrize("state", by_name(machine.tasks()))


def test_the_machine_speaks_jsonata_and_has_a_comment_and_an_end() -> None:
    definition = machine.definition()
    assert definition["QueryLanguage"] == "JSONata"
    assert definition["Comment"]
    assert definition["TimeoutSeconds"] > 7 * 86_400  # Glue's longest run, and some


@every_state
def test_every_state_tells_an_operator_what_it_does(state: State) -> None:
    assert len(state.body.get("Comment", "")) > 20
    for rule in state.body.get("Choices", []):
        assert rule.get("Comment"), rule["Condition"]
    for handler in state.retriers + state.catchers:
        assert handler.get("Comment"), handler["ErrorEquals"]


@every_state
def test_every_state_has_a_name_that_an_operator_can_read(state: State) -> None:
    assert NAME.fullmatch(state.name)
    assert len(state.name) <= 80
    assert state.name.endswith("?") or state.type != "Choice" or state.name.startswith("Choose")


def test_no_state_exists_only_for_plumbing() -> None:
    assert "Pass" not in {state.type for state in machine.states()}


@every_task
def test_every_task_has_a_timeout(state: State) -> None:
    assert state.body["TimeoutSeconds"]


@every_task
def test_every_task_retries_named_errors_with_full_jitter_up_to_a_cap(state: State) -> None:
    assert state.retriers
    for retrier in state.retriers:
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["BackoffRate"] >= 1.5
        assert retrier["MaxDelaySeconds"] <= 120
        assert retrier["MaxAttempts"] >= 3
        assert not TRANSIENT_AT_BEST.intersection(retrier["ErrorEquals"])


@pytest.mark.parametrize(
    "state", by_name([s for s in machine.states() if s.type in {"Task", "Map"}])
)
def test_whatever_fails_is_caught_with_its_error_and_the_name_of_its_state(state: State) -> None:
    *named, last = state.catchers
    assert last["ErrorEquals"] == ["States.ALL"]
    for catcher in [*named, last]:
        assert "$states.errorOutput.Error" in json.dumps(catcher)
    kept = json.dumps({"Assign": last.get("Assign"), "Output": last.get("Output")})
    assert state.name in kept


def test_a_task_that_may_have_started_a_glue_run_is_never_sent_again() -> None:
    runners = [s for s in machine.tasks() if "startJobRun" in s.body["Resource"]]
    assert runners
    retried = {error for s in runners for r in s.retriers for error in r["ErrorEquals"]}
    ambiguous = {
        "Glue.InternalServiceException",
        "Glue.OperationTimeoutException",
        "Glue.SdkClientException",
        "States.Timeout",
    }
    assert not retried & ambiguous


def test_a_job_that_succeeds_costs_four_transitions_and_two_invocations() -> None:
    job = machine.state(machine.start_of("Run Jobs"))
    path = [job.name]
    while "End" not in job.body:
        ways = [w for w in machine.transitions(job) if w.kind in {"next", "choice"}]
        job = machine.state(ways[0].to)
        path.append(job.name)
    assert path == ["Await Turn", "Choose Job Type", "Run Python Shell Job", "Settle Job"]
    resources = [machine.state(name).body.get("Resource", "") for name in path]
    assert sum("lambda:invoke" in resource for resource in resources) == 2


@pytest.mark.parametrize("name", ["Plan Run", "Run Jobs"])
def test_a_failure_before_or_in_the_map_still_closes_the_run(name: str) -> None:
    ways = [way for way in machine.transitions(machine.state(name)) if way.kind == "catch"]
    assert [way.to for way in ways] == ["Close Run"]
    assert "failure" in json.dumps(ways[0].assign)


def test_every_way_through_the_run_passes_notify_and_a_verdict() -> None:
    for path in _paths(machine.start_of(""), ()):
        assert path[-3:-1] == ("Notify", "Verdict?"), path
        assert path[-1] in {"Run Succeeded", "Run Failed"}


def test_every_way_through_a_job_ends_settled() -> None:
    settled = {"Settle Job", "Settle Failed Job"}
    for path in _paths(machine.start_of("Run Jobs"), ()):
        assert settled & set(path), path
        assert path[-1] in {"Settle Job", "Job Failed"}


def _paths(name: str, before: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All ways from a state to an end that take no transition twice."""
    path = (*before, name)
    ways = {
        way.to
        for way in machine.transitions(machine.state(name))
        if (name, way.to) not in set(pairwise(path))
    }
    state = machine.state(name)
    ends = [path] if state.body.get("End") or state.type in {"Succeed", "Fail"} else []
    return ends + [each for way in sorted(ways) for each in _paths(way, path)]


def test_failed_jobs_never_fail_the_map() -> None:
    run_jobs = machine.state("Run Jobs").body
    assert run_jobs["ToleratedFailurePercentage"] == 100
    assert "MaxConcurrency" not in run_jobs
    assert run_jobs["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "STANDARD",
    }


def test_substitutions_stand_only_inside_quotes() -> None:
    for number, line in enumerate(machine.PATH.read_text().splitlines(), start=1):
        code = line.split("#")[0] if line.lstrip().startswith("#") else line
        for match in machine.SUBSTITUTION.finditer(code):
            before, after = code[: match.start()], code[match.end() :]
            assert before.count('"') % 2 == 1, f"line {number}"
            assert after.count('"') % 2 == 1, f"line {number}"


def test_the_definition_is_plain_yaml_that_every_reader_understands() -> None:
    # CloudFormation reads the file itself; it resolves no anchors and knows no tags.
    for number, line in enumerate(machine.PATH.read_text().splitlines(), start=1):
        assert not re.search(r"(^|[\s:-])[&*!]\w", re.sub(r'"[^"]*"|\{%.*', "", line)), number
