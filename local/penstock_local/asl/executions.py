"""The actions about executions: start, stop, redrive, describe, list."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from penstock_local.asl.api import (
    Answer,
    ApiError,
    Request,
    page_token,
    read_page_token,
    require_name,
    require_type,
)
from penstock_local.asl.execution import Execution, Machine, Status
from penstock_local.asl.execution_input import read_input
from penstock_local.asl.execution_view import (
    date,
    described,
    described_sync,
    listed,
    present,
    redrive_status,
)
from penstock_local.asl.validation import variable_references
from penstock_local.asl.values import compact

if TYPE_CHECKING:
    from penstock_local.asl.engine import Engine
    from penstock_local.asl.machine_store import MachineStore

DEFAULT_PAGE = 100
_UNSUPPORTED_TYPE = ApiError(
    "StateMachineTypeNotSupported",
    "This operation is not supported by this type of state machine",
)


class Executions:
    """The actions, each a method that takes the request and returns the answer.

    All of them run on the engine's loop; they raise ApiError.
    """

    def __init__(self, engine: Engine, machines: MachineStore) -> None:
        self._engine = engine
        self._machines = machines

    def start(self, request: Request) -> Answer:
        """StartExecution; starting a running execution again, with the same input, is harmless."""
        machine = self._machines.find(request["stateMachineArn"])
        execution = self._new(machine, request)
        known = self._engine.executions.get(execution.arn)
        if known is None:
            self._engine.start(execution)
        elif known.status is Status.RUNNING and compact(known.input) == compact(execution.input):
            execution = known
        else:
            raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{known.arn}'")
        return {"executionArn": execution.arn, "startDate": date(execution.started)}

    async def start_sync(self, request: Request) -> Answer:
        """StartSyncExecution: start an express execution and wait for its end."""
        machine = self._machines.find(request["stateMachineArn"])
        if not machine.express:
            raise _UNSUPPORTED_TYPE
        execution = self._new(machine, request)
        execution.synchronous = True
        self._engine.start(execution)
        assert execution.task is not None
        await asyncio.wait({execution.task})
        return described_sync(execution, with_data=_with_data(request))

    def stop(self, request: Request) -> Answer:
        """StopExecution: ABORTED at once; what runs under the execution is stopped too.

        An execution that has ended stays as it is.
        """
        execution = self._execution(request)
        if execution.status is Status.RUNNING:
            self._engine.abort(execution, request.get("error"), request.get("cause"))
        return {"stopDate": date(execution.stopped)}

    async def redrive(self, request: Request) -> Answer:
        """RedriveExecution: go on from the state that did not succeed."""
        execution = self._execution(request)
        token = request.get("clientToken")
        if token is not None and token == execution.redrive_token:
            return {"redriveDate": date(execution.redriven)}
        status, reason = redrive_status(execution)
        if status != "REDRIVABLE":
            raise ApiError(
                "ExecutionNotRedrivable", reason or f"Execution is {status} and cannot be redriven"
            )
        await self._engine.wound_down([execution])
        if execution.status is Status.RUNNING:
            raise ApiError("ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven")
        self._engine.start(execution)
        execution.redrive_token = token
        return {"redriveDate": date(execution.redriven)}

    def describe(self, request: Request) -> Answer:
        """DescribeExecution."""
        return described(self._execution(request), with_data=_with_data(request))

    def describe_state_machine(self, request: Request) -> Answer:
        """DescribeStateMachineForExecution: the machine as it was when the execution started."""
        execution = self._execution(request)
        machine = execution.machine
        definition = machine.definition_text or compact(machine.definition)
        return present(
            stateMachineArn=machine.arn,
            name=machine.name,
            definition=definition,
            roleArn=machine.role_arn,
            updateDate=date(machine.updated),
            loggingConfiguration=machine.logging or {"level": "OFF", "includeExecutionData": False},
            tracingConfiguration={"enabled": False},
            mapRunArn=execution.map_run and execution.map_run.arn,
            label=machine.label,
            revisionId=machine.revision_id,
            encryptionConfiguration=machine.encryption or {"type": "AWS_OWNED_KEY"},
            variableReferences=variable_references(machine.definition) or None,
        )

    def list(self, request: Request) -> Answer:
        """ListExecutions: those of a machine, version, alias or Map Run, the newest first."""
        selector = {key: request.get(key) for key in ("stateMachineArn", "mapRunArn")}
        selector |= {key: request.get(key) for key in ("statusFilter", "redriveFilter")}
        entries = sorted(
            (entry for entry in self._selected(request) if _passes(entry, request)),
            key=_position,
            reverse=True,
        )
        if "nextToken" in request:
            before = read_page_token(request["nextToken"], **selector)["before"]
            entries = [entry for entry in entries if list(_position(entry)) < before]
        size = request.get("maxResults") or DEFAULT_PAGE
        answer: Answer = {"executions": [listed(entry) for entry in entries[:size]]}
        if len(entries) > size:
            answer["nextToken"] = page_token(before=_position(entries[size - 1]), **selector)
        return answer

    def _selected(self, request: Request) -> Iterable[Execution]:
        machine_arn, map_run_arn = request.get("stateMachineArn"), request.get("mapRunArn")
        if (machine_arn is None) == (map_run_arn is None):
            raise ApiError(
                "ValidationException", "Must provide a StateMachine ARN or MapRun ARN, not both"
            )
        if map_run_arn is not None:
            run = self._engine.map_runs.get(require_type(map_run_arn, "mapRun").text)
            if run is None:
                raise ApiError("ResourceNotFound", f"Map Run Does Not Exist: '{map_run_arn}'")
            return [child for child in run.children if child is not None]
        if request.get("statusFilter") == Status.PENDING_REDRIVE:
            raise ApiError("ValidationException", "PENDING_REDRIVE requires a MapRun ARN")
        assert machine_arn is not None
        machine = self._machines.find(machine_arn)
        if machine.express:
            raise _UNSUPPORTED_TYPE
        return [
            execution
            for execution in self._engine.executions.values()
            if machine_arn
            in (
                execution.machine.arn,
                execution.machine.version_arn,
                execution.machine.alias_arn,
            )
        ]

    def _new(self, machine: Machine, request: Request) -> Execution:
        text = request.get("input", "{}")
        value = read_input(text)
        name = require_name(request.get("name") or str(uuid.uuid4()))
        return Execution(
            machine.execution_arn(name),
            name,
            machine,
            text,
            value,
            trace_header=request.get("traceHeader"),
        )

    def _execution(self, request: Request) -> Execution:
        return find_execution(self._engine, request["executionArn"])


def find_execution(engine: Engine, text: str) -> Execution:
    """The standard execution of this ARN; InvalidArn or ExecutionDoesNotExist."""
    require_type(text, "execution")
    execution = engine.executions.get(text)
    if execution is None:
        raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{text}'")
    return execution


def _with_data(request: Request) -> bool:
    return bool(request.get("includedData", "ALL_DATA") == "ALL_DATA")


def _position(execution: Execution) -> tuple[float, str]:
    return execution.started, execution.arn


def _passes(execution: Execution, request: Request) -> bool:
    status, redriven = request.get("statusFilter"), request.get("redriveFilter")
    if status is not None and execution.status != status:
        return False
    return redriven is None or (redriven == "REDRIVEN") == (execution.redrive_count > 0)
