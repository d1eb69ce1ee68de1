"""What the template deploys switched off, or only where a parameter asks for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from . import stack
from .conditions import Deployed

SOURCE = stack.source()
RESOURCES: dict[str, dict[str, Any]] = SOURCE["Resources"]


def test_the_rule_that_functions_switch_is_the_one_that_calls_reconcile_runs() -> None:
    rule = RESOURCES["ReconcileRunsRule"]["Properties"]
    settings = SOURCE["Globals"]["Function"]["Environment"]["Variables"]
    assert rule["Name"] == settings["RECONCILE_RULE"]
    assert rule["State"] == "DISABLED"
    (target,) = rule["Targets"]
    assert json.loads(target["Input"]) == {"check": "runs"}
    events = RESOURCES["ReconcileRunsFunction"]["Properties"]["Events"]
    assert json.loads(events["SilentJobs"]["Properties"]["Input"]) == {"check": "silent"}


OPTIONAL = {
    "lambda": ({"JobFunctionPattern": "sales-*"}, set()),
    "state_machine": (
        {"JobStateMachinePattern": "sales-*"},
        {"states:StartExecution", "events:PutRule", "events:PutTargets", "events:DescribeRule"},
    ),
    "emr": (
        {"EmrApplicationId": "00f1", "EmrJobRoleArn": "arn:aws:iam::111122223333:role/emr"},
        {"emr-serverless:StartJobRun", "emr-serverless:GetJobRun", "emr-serverless:CancelJobRun"},
    ),
    "ecs": (
        {"EcsCluster": "jobs", "EcsTaskDefinitionPattern": "sales-*", "EcsTaskRolePattern": "s-*"},
        {"ecs:RunTask", "ecs:DescribeTasks", "ecs:StopTask"},
    ),
    "redshift_sql": ({"RedshiftWorkgroup": "jobs"}, {"redshift-data:BatchExecuteStatement"}),
}
# The service in whose name something would be there for a type of job.
OF_A_TYPE = ("ecs:", "emr-serverless:", "redshift", "iam:PassRole", "events:Put")


def of_types(deployed: Deployed) -> set[str]:
    return {action for action in deployed.actions() if action.startswith(OF_A_TYPE)}


def test_types_of_jobs_that_nobody_asked_for_leave_nothing_in_the_stack() -> None:
    deployed = Deployed()
    # What switches the rule of Reconcile Runs is no part of a type.
    assert of_types(deployed) == set()
    everything = json.dumps(deployed.resources)
    for name in ("AWS::ECS", "AWS::EMRServerless", "AWS::Redshift", '"RedshiftCopyRole"'):
        assert name not in everything


@pytest.mark.parametrize("job_type", sorted(OPTIONAL))
def test_a_type_of_jobs_that_is_asked_for_brings_its_own_permissions_and_no_others(
    job_type: str,
) -> None:
    parameters, actions = OPTIONAL[job_type]
    deployed = Deployed(**parameters)
    assert deployed.actions() >= actions
    others = {
        action
        for other, (_, theirs) in OPTIONAL.items()
        if other != job_type
        for action in theirs
        if action.split(":")[0] in {"ecs", "emr-serverless", "redshift-data"}
    }
    assert not deployed.actions() & others
    assert ("iam:PassRole" in deployed.actions()) == (job_type in {"emr", "ecs"})


@pytest.mark.parametrize("job_type", ["emr", "ecs", "lambda", "state_machine"])
def test_what_is_allowed_for_a_type_of_jobs_names_what_its_parameters_name(job_type: str) -> None:
    parameters, _ = OPTIONAL[job_type]
    before = [json.dumps(each) for each in Deployed().statements()]
    new = [each for each in Deployed(**parameters).statements() if json.dumps(each) not in before]
    assert new
    rules = [each for each in new if "events:PutRule" in _as_list(each["Action"])]
    for statement in new:
        if statement not in rules:
            text = json.dumps(statement["Resource"])
            assert any(name in text for name in parameters), statement
    assert all("StepFunctionsGetEventsFor" in json.dumps(each["Resource"]) for each in rules)
    assert len(rules) == (0 if job_type == "lambda" else 1)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
