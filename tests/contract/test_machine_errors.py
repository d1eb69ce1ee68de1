"""Every error that a Retry or a Catch names is one that can happen."""

from __future__ import annotations

import ast

import pytest

from . import machine, sdk

NAMED = sorted(
    {
        error
        for state in machine.states()
        for handler in state.retriers + state.catchers
        for error in handler["ErrorEquals"]
    }
)


def errors_of_the_functions() -> set[str]:
    return {
        node.name
        for path in (machine.ROOT / "functions" / "penstock").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }


@pytest.mark.parametrize("name", NAMED)
def test_every_named_error_exists(name: str) -> None:
    assert sdk.is_error(name) or name in errors_of_the_functions()


def test_states_all_stands_alone_and_last() -> None:
    for state in machine.states():
        for handlers in (state.retriers, state.catchers):
            for handler in handlers:
                if "States.ALL" in handler["ErrorEquals"]:
                    assert handler is handlers[-1]
                    assert handler["ErrorEquals"] == ["States.ALL"]


# What each service answers when it has no room or refuses the rate. None of them has started
# anything; whoever can be asked twice for the same (a token, a name) may be asked after more.
BUSY = {
    "Run Python Shell Job": {"Glue.ConcurrentRunsExceededException", "Glue.AWSGlueException"},
    "Run Spark Job": {"Glue.ConcurrentRunsExceededException", "Glue.AWSGlueException"},
    "Run EMR Serverless Job": {
        "EMRServerless.ThrottlingException",
        "EMRServerless.AWSEMRServerlessException",
        "EMRServerless.InternalServerException",
    },
    "Run ECS Task": {"ECS.ThrottlingException", "ECS.AmazonECSException", "AmazonECS.Unknown"},
    "Run Lambda Function": {"Lambda.TooManyRequestsException"},
    "Run State Machine": {"StepFunctions.ExecutionLimitExceededException"},
    "Run Redshift SQL": {"RedshiftData.ActiveStatementsExceededException", "States.Timeout"},
}
IN_DOUBT = {
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "ECS.ServerException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "States.Timeout",
    "States.TaskFailed",
    "States.ALL",
}
STARTS_ONCE = {"Run EMR Serverless Job", "Run State Machine", "Run Redshift SQL"}


@pytest.mark.parametrize("name", sorted(BUSY))
def test_a_start_is_tried_again_when_the_service_is_busy_and_never_when_it_may_have_begun(
    name: str,
) -> None:
    retried = {error for each in machine.state(name).retriers for error in each["ErrorEquals"]}
    assert retried >= BUSY[name]
    if name not in STARTS_ONCE:
        assert not any(error in IN_DOUBT or "SdkClient" in error for error in retried)
    assert not retried & {"States.TaskFailed", "States.ALL"}
    assert machine.state(name).catchers[-1]["ErrorEquals"] == ["States.ALL"]


def test_an_invented_error_would_be_found() -> None:
    assert not sdk.is_error("Glue.ConcurrentRunExceededException")
    assert not sdk.is_error("States.Timedout")
    assert not sdk.is_error("glue.EntityNotFoundException")
