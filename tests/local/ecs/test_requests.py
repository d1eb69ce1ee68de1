"""RunTask refuses what ECS refuses, starts once per token, and IAM decides who may."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.ecs.cluster import Cluster
from tests.local.running_platform import Platform

BASE = "arn:aws:ecs:eu-central-1:123456789012"


@pytest.fixture(scope="session")
def family(cluster: Cluster) -> str:
    return cluster.define("true")


def refused(code: str, text: str) -> Any:
    return pytest.raises(ClientError, match=f"{code}.*{text}")


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        ({"cluster": "none"}, "ClusterNotFoundException", "Cluster not found"),
        ({"taskDefinition": "none"}, "ClientException", "Unable to find task definition: none"),
        ({"count": 11}, "InvalidParameterException", "Count must be 1 to 10"),
        ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration must"),
        (
            {"override": {"name": "someone"}},
            "InvalidParameterException",
            "Override for container named someone is not a container",
        ),
    ],
)
def test_what_ecs_refuses_is_refused(
    cluster: Cluster, family: str, request_: dict[str, Any], code: str, text: str
) -> None:
    with refused(code, text):
        cluster.ask(family, **request_)


def test_a_definition_for_other_launch_types_or_without_a_revision_left_is_refused(
    cluster: Cluster,
) -> None:
    other = cluster.define("true", requiresCompatibilities=["EC2"])
    with refused("InvalidParameterException", "does not support launch_type FARGATE"):
        cluster.ask(other)
    gone = cluster.define("true")
    cluster.api.deregister_task_definition(taskDefinition=f"{gone}:1")
    with refused("ClientException", "TaskDefinition is inactive"):
        cluster.ask(gone)


def test_a_task_that_is_not_there_cannot_be_stopped(cluster: Cluster) -> None:
    with refused("InvalidParameterException", "task was not found"):
        cluster.stop("0123456789abcdef", "why not")


def test_the_same_token_runs_the_same_task(cluster: Cluster, family: str) -> None:
    first = cluster.start(family, clientToken="one-token")
    assert cluster.start(family, clientToken="one-token") == first
    with refused("ConflictException", "another request"):
        cluster.start(family, "more", clientToken="one-token")
    assert cluster.wait(first)["containers"][0]["exitCode"] == 0


def test_several_tasks_are_run_at_once(cluster: Cluster, family: str) -> None:
    tasks = cluster.ask(family, count=3, startedBy="me")["tasks"]
    assert len({task["taskArn"] for task in tasks}) == 3
    assert {cluster.wait(task["taskArn"])["startedBy"] for task in tasks} == {"me"}


def test_iam_decides_by_task_definition_cluster_and_passed_role(
    cluster: Cluster, platform: Platform, family: str
) -> None:
    run = {
        "Effect": "Allow",
        "Action": "ecs:RunTask",
        "Resource": f"{BASE}:task-definition/{family}:*",
    }
    at = {"Condition": {"ArnEquals": {"ecs:cluster": f"{BASE}:cluster/local"}}}
    elsewhere = {"Condition": {"ArnEquals": {"ecs:cluster": f"{BASE}:cluster/other"}}}
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": platform.role,
        "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    }
    stop = {"Effect": "Allow", "Action": "ecs:StopTask", "Resource": f"{BASE}:task/local/*"}
    allowed = platform.user("ecs-allowed", run | at, passing, stop)("ecs")

    with refused("AccessDeniedException", "ecs:RunTask"):
        cluster.start(family, api=platform.user("ecs-elsewhere", run | elsewhere, passing)("ecs"))
    with refused("AccessDeniedException", f"iam:PassRole on resource: {platform.role}"):
        cluster.start(family, api=platform.user("ecs-starter", run | at)("ecs"))
    with refused("AccessDeniedException", "ecs:RunTask"):
        cluster.start(cluster.define("true"), api=allowed)
    arn = cluster.start(family, api=allowed)
    with refused("AccessDeniedException", "ecs:DescribeTasks"):
        allowed.describe_tasks(cluster="local", tasks=[arn])
    allowed.stop_task(cluster="local", task=arn)
    cluster.wait(arn)
    one = {"Effect": "Allow", "Action": "ecs:DescribeTasks", "Resource": arn}
    looking = platform.user("ecs-looking", one)("ecs")
    assert looking.describe_tasks(cluster="local", tasks=[arn])["tasks"]
    other = cluster.start(family)
    with refused("AccessDeniedException", f"ecs:DescribeTasks on resource: {other}"):
        looking.describe_tasks(cluster="local", tasks=[arn, other])
    cluster.wait(other)
