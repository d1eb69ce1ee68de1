"""What IAM decides by: the task definition of RunTask, the task of others, and the cluster."""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from penstock_local import pins

SERVICE = "ecs"
_OF_A_TASK = ("RunTask", "StopTask", "DescribeTasks")


def install() -> None:
    """Teach ministack the resources and the condition key `ecs:cluster`.

    Source: "Actions, resources, and condition keys for Amazon ECS", Service Authorization
    Reference.
    """
    resource_arn = iam_actions.extract_resource_arn
    tag_context = iam_actions.request_tag_context

    def extract_resource_arn(service: str, *arguments: Any) -> str:
        headers, body = arguments[2], arguments[3]
        action = str(headers.get("x-amz-target", "")).rpartition(".")[2]
        if service != SERVICE or action not in _OF_A_TASK:
            return str(resource_arn(service, *arguments))
        return arn_of(action, _members(body))

    def request_tag_context(
        service: str, iam_action: str, body: bytes, params: dict[str, Any]
    ) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, iam_action, body, params)
        if service == SERVICE and iam_action.partition(":")[2] in _OF_A_TASK:
            context |= context_of(_members(body))
        return context

    pins.replace(iam_actions, "extract_resource_arn", extract_resource_arn)
    pins.replace(iam_actions, "request_tag_context", request_tag_context)


def arn_of(action: str, request: dict[str, Any]) -> str:
    """The resource that a request is about."""
    if action == "RunTask":
        key = ecs._resolve_td_key(str(request.get("taskDefinition") or "")) or ""
        # A family is decided by as its latest revision; for one that there is none of as any.
        return f"{_base()}:task-definition/{key if ':' in key else f'{key}:*'}"
    tasks = request.get("tasks") or [""]
    task = str(request.get("task") or tasks[0])
    return task if task.startswith("arn:") else f"{_base()}:task/{_cluster(request)}/{task}"


def context_of(request: dict[str, Any]) -> dict[str, Any]:
    """The condition keys of a request."""
    return {"ecs:cluster": f"{_base()}:cluster/{_cluster(request)}"}


def _base() -> str:
    return f"arn:aws:ecs:{get_region()}:{get_account_id()}"


def _cluster(request: dict[str, Any]) -> str:
    return str(ecs._resolve_cluster_name(request.get("cluster") or "default"))


def _members(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}
