"""State machines: created, updated, described and validated over ministack's own store.

The records stay ministack's, so that its versions, aliases, tags and CloudFormation go on working.
What it lets pass and the real service refuses is refused here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
    json_response,
)
from ministack.services import stepfunctions as sf

from penstock_local import pins
from penstock_local.asl import machine_templates, validation
from penstock_local.asl.api import (
    Answer,
    ApiError,
    Request,
    require_constraints,
    require_name,
    require_type,
)
from penstock_local.asl.jsonata import JsonataError
from penstock_local.asl.machine_store import FIRST_REVISION, shown_revision
from penstock_local.settings import LocalSettings

Response = tuple[int, dict[str, str], bytes]
Action = Callable[[Request], Answer]

_NO_TRACING = {"enabled": False}
_CHANGES = (
    "definition",
    "roleArn",
    "loggingConfiguration",
    "tracingConfiguration",
    "encryptionConfiguration",
)
_MOST_DIAGNOSTICS = 100
_MACHINE_PARTS = 7  # of the ARN of a version or an alias, those of its machine's


def install(settings: LocalSettings) -> None:
    """Put these actions in the place of ministack's, and mend its CloudFormation handlers."""
    machines = Machines()
    for name, action in (
        ("_create_state_machine", machines.create),
        ("_update_state_machine", machines.update),
        ("_publish_state_machine_version", machines.publish),
        ("_describe_state_machine", machines.describe),
        ("_validate_state_machine_definition", validate),
    ):
        pins.replace(sf, name, _as_handler(action))
    # What ministack would refuse beyond that, its parser of JSONata gets wrong.
    pins.replace(sf, "_validate_definition_jsonata", lambda _: None)
    machine_templates.install(settings)


class Machines:
    """The actions that write and read state machines, over those of ministack."""

    def __init__(self) -> None:
        self._create = sf._create_state_machine
        self._update = sf._update_state_machine
        self._publish = sf._publish_state_machine_version
        self._describe = sf._describe_state_machine

    def create(self, request: Request) -> Answer:
        """CreateStateMachine: refuses what is no state machine; the same one again is no error."""
        require_constraints("CreateStateMachine", request)
        require_name(request["name"])
        _require_role(request["roleArn"])
        _require_description(request)
        _require_definition(request["definition"], request.get("type", "STANDARD"))
        arn = f"arn:aws:states:{get_region()}:{get_account_id()}:stateMachine:{request['name']}"
        answer = _answer(self._create(request), arn)
        record = sf._state_machines[arn]
        record.setdefault("tracingConfiguration", request.get("tracingConfiguration"))
        record.setdefault(FIRST_REVISION, record["revisionId"])
        return answer

    def update(self, request: Request) -> Answer:
        """UpdateStateMachine: something must change, and a definition must be one."""
        require_constraints("UpdateStateMachine", request)
        arn = require_type(request["stateMachineArn"], "stateMachine").text
        record = sf._state_machines.get(arn)
        if record is None:
            raise ApiError("StateMachineDoesNotExist", _MISSING.format(arn))
        if not any(request.get(change) is not None for change in _CHANGES):
            raise ApiError(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, the"
                " EncryptionConfiguration or the TracingConfiguration must be specified",
            )
        _require_description(request)
        if request.get("roleArn") is not None:
            _require_role(request["roleArn"])
        if request.get("definition") is not None:
            _require_definition(request["definition"], record["type"])
        before = dict(record)
        answer = _answer(self._update(request), arn)
        record["updateDate"] = answer["updateDate"]
        if request.get("tracingConfiguration") is not None:
            record["tracingConfiguration"] = request["tracingConfiguration"]
        if not request.get("publish") and _unchanged(before, record):
            record["revisionId"] = before["revisionId"]  # nothing new: no new revision
        return {**answer, "revisionId": record["revisionId"]}

    def publish(self, request: Request) -> Answer:
        """PublishStateMachineVersion: of the revision that the caller means, if it names one."""
        require_constraints("PublishStateMachineVersion", request)
        arn = require_type(request["stateMachineArn"], "stateMachine").text
        meant, current = (
            request.get("revisionId"),
            sf._state_machines.get(arn, {}).get("revisionId"),
        )
        if meant is not None and current is not None and meant != current:
            raise ApiError(
                "ConflictException",
                f"Failed to publish the State Machine version for revision {meant}."
                f" The current State Machine revision is {current}.",
            )
        return _answer(self._publish(request), arn)

    def describe(self, request: Request) -> Answer:
        """DescribeStateMachine, with the variables that the states read."""
        require_constraints("DescribeStateMachine", request)
        arn = require_type(request["stateMachineArn"], "stateMachine").text
        answer = _answer(self._describe(request), arn)
        answer["tracingConfiguration"] = answer.get("tracingConfiguration") or _NO_TRACING
        answer.pop("updateDate", None)
        record = sf._state_machines.get(":".join(arn.split(":")[:_MACHINE_PARTS]), {})
        if shown_revision(record, answer.get("revisionId")) is None:
            answer.pop("revisionId", None)
        if not answer.get("description"):
            answer.pop("description", None)
        if request.get("includedData") == "METADATA_ONLY":
            answer.pop("definition")
            return answer
        references = _references(answer["definition"])
        return {**answer, "variableReferences": references} if references else answer


def validate(request: Request) -> Answer:
    """ValidateStateMachineDefinition: what is wrong with a definition, nothing made of it."""
    require_constraints("ValidateStateMachineDefinition", request)
    found = validation.diagnose_text(request["definition"], request.get("type", "STANDARD"))
    failed = any(diagnostic.severity == "ERROR" for diagnostic in found)
    if request.get("severity", "ERROR") == "ERROR":
        found = [diagnostic for diagnostic in found if diagnostic.severity == "ERROR"]
    most = request.get("maxResults") or _MOST_DIAGNOSTICS
    return {
        "result": "FAIL" if failed else "OK",
        "diagnostics": [diagnostic.as_answer() for diagnostic in found[:most]],
        "truncated": len(found) > most,
    }


def _as_handler(action: Action) -> Callable[[Request], Response]:
    """The action as ministack calls one: its errors become answers."""

    def handler(request: Request) -> Response:
        try:
            response: Response = json_response(action(request))
        except ApiError as error:
            response = error_response_json(error.code, error.message, 400)
        return response

    return handler


_MISSING = "State Machine Does Not Exist: '{}'"
_WORDS = {
    "StateMachineAlreadyExists": "State Machine Already Exists: '{}'",
    "StateMachineDoesNotExist": _MISSING,
}


def _answer(response: Response, arn: str) -> Answer:
    """What ministack answered; ApiError, in the service's words, when it refused."""
    status, _, body = response
    answer: Answer = json.loads(body)
    if status < 400:
        return answer
    code = answer.get("__type", "ValidationException").rpartition("#")[2]
    if code in _WORDS:
        raise ApiError(code, _WORDS[code].format(arn))
    raise ApiError(code, answer.get("message") or answer.get("Message") or "")


def _unchanged(before: Answer, record: Answer) -> bool:
    return all(before.get(change) == record.get(change) for change in _CHANGES)


def _require_role(arn: str) -> None:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+", arn):
        raise ApiError("InvalidArn", f"Invalid Role Arn: '{arn}'")


def _require_description(request: Request) -> None:
    if request.get("versionDescription") and not request.get("publish"):
        raise ApiError(
            "ValidationException", "Version description can only be set when publish is true"
        )


def _require_definition(text: str, machine_type: str) -> None:
    try:
        validation.parse(text, machine_type)
    except validation.InvalidDefinitionError as error:
        raise ApiError("InvalidDefinition", str(error)) from None


def _references(definition: str) -> dict[str, list[str]]:
    try:
        return validation.variable_references(json.loads(definition))
    except (ValueError, JsonataError):
        return {}  # a record that was written past CreateStateMachine
