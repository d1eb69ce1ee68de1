"""Every action that is used is allowed, every one that is allowed is used, on named resources."""

from __future__ import annotations

import fnmatch
import json

import pytest

from . import stack, usage
from .adapter_calls import ADAPTERS, adapter_calls
from .machine import ROOT
from .stack import Grant

# Actions to which IAM gives no resource type (Service Authorization Reference).
UNNAMEABLE = {
    "states:SendTaskSuccess",
    "states:SendTaskFailure",
    "redshift-data:DescribeStatement",
    "redshift-data:CancelStatement",
    *(action for action, _ in usage.LOG_DELIVERY),
}
MACHINE = stack.source()["Resources"]["PipelineStateMachine"]["Properties"]
FUNCTIONS = {
    name: resource["Properties"]["Handler"].split(".")[-2]
    for name, resource in stack.source()["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
USES = {
    **{f"{name}Role": usage.of_function(handler) for name, handler in FUNCTIONS.items()},
    **usage.JOBS,
    "PipelineStateMachineRole": usage.of_machine(MACHINE["DefinitionSubstitutions"]),
    "PipelineStateMachineDailyScheduleRole": {
        ("states:StartExecution", "PipelineStateMachine"),
        ("sqs:SendMessage", "ScheduleDlq"),
    },
    "ReconcileRunsFunctionSilentJobsRole": {
        ("lambda:InvokeFunction", "ReconcileRunsFunction"),
        ("sqs:SendMessage", "ScheduleDlq"),
    },
}

every_role = pytest.mark.parametrize("role", sorted(USES))


def covers(grant: Grant, action: str, resource: str) -> bool:
    """Whether a statement allows an action on a resource of this stack."""
    where = json.dumps(grant.resources)
    return any(fnmatch.fnmatchcase(action, allowed) for allowed in grant.actions) and (
        resource in where if resource else "*" in grant.resources
    )


def test_every_role_of_the_stack_is_looked_at() -> None:
    assert set(stack.resources("AWS::IAM::Role")) == set(USES)


@every_role
def test_every_action_that_is_used_is_allowed(role: str) -> None:
    grants = stack.grants(role)
    for action, resource in sorted(USES[role]):
        assert any(covers(grant, action, resource) for grant in grants), f"{action} on {resource}"


@every_role
def test_every_action_that_is_allowed_is_used(role: str) -> None:
    for grant in stack.grants(role):
        roles = [other for other in USES if grant in _as(other, grant)]
        uses = {use for other in roles for use in USES[other]}
        used = [a for a in grant.actions if any(covers(_only(grant, a), *use) for use in uses)]
        if grant.origin:  # a SAM policy template comes as a whole
            assert used, grant.origin
        else:
            assert set(used) == set(grant.actions), sorted(set(grant.actions) - set(used))


def _as(role: str, grant: Grant) -> list[Grant]:
    """A role's statements, told as if they were those of the grant's role."""
    return [
        Grant(grant.role, g.effect, g.actions, g.resources, g.condition, g.origin)
        for g in stack.grants(role)
    ]


def _only(grant: Grant, action: str) -> Grant:
    return Grant(grant.role, grant.effect, (action,), grant.resources, grant.condition, "")


@every_role
def test_resources_are_named_wherever_iam_can_name_them(role: str) -> None:
    for grant in stack.grants(role):
        if "*" in grant.resources:
            assert set(grant.actions) <= UNNAMEABLE
        for action in grant.actions:
            service, _, name = action.partition(":")
            assert service
            assert name not in {"", "*"}, action
            assert "*" not in name or grant.origin, action


@every_role
def test_nothing_is_allowed_to_administer(role: str) -> None:
    actions = {action for grant in stack.grants(role) for action in grant.actions}
    services = {action.split(":")[0] for action in actions - {"iam:PassRole"}}
    assert not services & {"iam", "sts", "kms", "organizations", "cloudformation"}


def test_a_role_is_passed_to_one_service_alone() -> None:
    passed = [
        grant
        for grant in stack.grants("PipelineStateMachineRole")
        if "iam:PassRole" in grant.actions
    ]
    assert {grant.condition["StringEquals"]["iam:PassedToService"] for grant in passed} == {
        "emr-serverless.amazonaws.com",
        "ecs-tasks.amazonaws.com",
    }
    assert all(grant.actions == ("iam:PassRole",) for grant in passed)


def test_every_call_of_an_adapter_is_known_and_none_is_left_over() -> None:
    calls = [adapter_calls(handler) for handler in FUNCTIONS.values()]
    assert set().union(*calls) == set(ADAPTERS)


@pytest.mark.parametrize(
    ("folder", "roles"),
    [
        ("functions/penstock/adapters", [f"{name}Role" for name in FUNCTIONS]),
        ("glue/penstock_job", list(usage.JOBS)),
    ],
)
def test_every_request_in_the_code_is_one_that_some_role_may_send(
    folder: str, roles: list[str]
) -> None:
    needed = {usage.REQUESTS[name] for name in usage.requests_in(ROOT / folder)}
    assert needed
    assert needed <= {action for role in roles for action, _ in USES[role]}


@every_role
def test_every_role_can_be_bounded(role: str) -> None:
    boundary = stack.resources("AWS::IAM::Role")[role]["Properties"]["PermissionsBoundary"]
    assert boundary["Fn::If"][:2] == ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}]


@pytest.mark.parametrize("name", ["DataBucketPolicy", "QueuePolicy", "NotificationTopicPolicy"])
def test_whatever_is_shared_is_reached_over_tls_alone(name: str) -> None:
    document = stack.expanded()["Resources"][name]["Properties"]["PolicyDocument"]
    deny = [each for each in document["Statement"] if each["Effect"] == "Deny"]
    assert [each["Condition"] for each in deny] == [{"Bool": {"aws:SecureTransport": "false"}}]
    allowed = [each for each in document["Statement"] if each["Effect"] == "Allow"]
    assert all("Condition" in each for each in allowed)
