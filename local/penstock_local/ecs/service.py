"""The actions of ECS that run and stop tasks, in the place of ministack's."""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response, request_scope
from ministack.services import ecs

from penstock_local import authorization, pins
from penstock_local.api_error import ApiError
from penstock_local.ecs import resource_names
from penstock_local.ecs.execution import Executions
from penstock_local.ecs.launch import PRINCIPAL
from penstock_local.ecs.tasks import Tasks, answer_of
from penstock_local.job_processes.processes import Processes
from penstock_local.service_model import ServiceModel
from penstock_local.settings import LocalSettings

MODEL = ServiceModel("ecs")
LOCAL = "local"
"""The cluster that every instance has: so a stack can name one before any is made."""
MOST_TASKS = 10
ROLES = ("taskRoleArn", "executionRoleArn")

Request = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


def install(settings: LocalSettings) -> None:
    """Replace how tasks run and stop; every process ends with this one."""
    processes = Processes(settings.home / "ecs")
    atexit.register(processes.close)
    actions = EcsTasks(Tasks(Executions(settings, processes)))
    pins.require(isinstance(ecs._ACTION_MAP, dict), "ecs._ACTION_MAP")
    for name in ("_sanitize", "_bump_task_version", "_awslogs_config", "_tags", "_put_cluster"):
        pins.require(hasattr(ecs, name), f"ecs.{name}")
    ecs._ACTION_MAP["RunTask"] = _answered("RunTask", actions.run_task)
    ecs._ACTION_MAP["StopTask"] = _answered("StopTask", actions.stop_task)
    ecs._ACTION_MAP["DescribeTasks"] = _described(ecs._ACTION_MAP["DescribeTasks"])
    original_reset = pins.replace(ecs, "reset", None)

    def reset() -> None:
        actions.tasks.forget()
        original_reset()
        make_cluster()

    def make_cluster() -> None:
        with request_scope(settings.account, settings.region):
            ecs._put_cluster({"clusterName": LOCAL})

    ecs.reset = reset
    make_cluster()
    resource_names.install()


def _answered(name: str, action: Callable[[Request], Request]) -> Callable[[Request], Answer]:
    """The action as ministack calls it, with the request checked and errors in ECS' form."""

    def answer(request: Request) -> Answer:
        try:
            MODEL.check(name, request)
            answered: Answer = json_response(action(request))
        except ApiError as error:
            code = error.code
            if code == "ValidationException":
                code = "InvalidParameterException"
            answered = error_response_json(code, str(error), 400)
        return answered

    return answer


def _described(describe: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """ministack's DescribeTasks, of which IAM has only decided about the first task."""

    def answer(request: Request) -> Answer:
        signer = authorization.signer()
        context = resource_names.context_of(request)
        try:
            for task in (request.get("tasks") or [])[1:] if signer else ():
                arn = resource_names.arn_of("DescribeTasks", {**request, "tasks": [task]})
                authorization.require(signer, "ecs:DescribeTasks", arn, context)
        except ApiError as error:
            return error_response_json(error.code, str(error), 400)  # type: ignore[no-any-return]
        return describe(request)

    return answer


class EcsTasks:
    """The actions; each takes a request's members and returns those of the answer."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks

    def run_task(self, request: Request) -> Request:
        _require_cluster(request)
        definition = _definition(request)
        _check(request, definition)
        signer = authorization.signer()
        for role in ROLES:
            passed = (request.get("overrides") or {}).get(role) or definition.get(role)
            if passed and signer:
                authorization.require_pass_role(signer, passed, PRINCIPAL)
        return answer_of(self.tasks.run(request, definition, lambda: _made(request)))

    def stop_task(self, request: Request) -> Request:
        record = ecs._resolve_task(request["task"], _require_cluster(request))
        if record is None:
            message = "The referenced task was not found."
            raise ApiError("InvalidParameterException", message)
        self.tasks.stop(record, request.get("reason") or "Task stopped by user")
        return {"task": ecs._sanitize(record)}


def _made(request: Request) -> list[Request]:
    """The records of new tasks, made by ministack, which decides about launch types.

    Raises what it refuses.
    """
    status, _, body = ecs._run_task({**request, "count": request.get("count") or 1})
    answer = json.loads(body)
    if status != 200:
        raise ApiError(str(answer["__type"]), str(answer.get("message")))
    made: list[Request] = answer["tasks"]
    return made


def _require_cluster(request: Request) -> str:
    name = ecs._resolve_cluster_name(request.get("cluster") or "default")
    if name is None or name not in ecs._clusters:
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    return str(name)


def _definition(request: Request) -> Request:
    reference = request["taskDefinition"]
    definition: Request | None = ecs._task_defs.get(ecs._resolve_td_key(reference))
    if definition is None:
        raise ApiError("ClientException", f"Unable to find task definition: {reference}")
    if definition["status"] != "ACTIVE":
        raise ApiError("ClientException", "TaskDefinition is inactive")
    return definition


def _check(request: Request, definition: Request) -> None:
    """Raise InvalidParameterException for what the service model does not tell."""
    if not 1 <= (request.get("count") or 1) <= MOST_TASKS:
        raise _invalid(f"Count must be 1 to {MOST_TASKS}.")
    if request.get("launchType") == "FARGATE" and "FARGATE" not in definition["compatibilities"]:
        raise _invalid("Task definition does not support launch_type FARGATE.")
    network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if definition["networkMode"] == "awsvpc" and not (network or {}).get("subnets"):
        raise _invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    names = {one["name"] for one in definition["containerDefinitions"]}
    for override in (request.get("overrides") or {}).get("containerOverrides") or []:
        if override.get("name") not in names:
            name = override.get("name")
            raise _invalid(
                f"Override for container named {name} is not a container in the TaskDefinition."
            )


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
