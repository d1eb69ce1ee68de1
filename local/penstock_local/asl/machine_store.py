"""The state machines that ministack keeps, looked up by any of the ARNs they go by."""

from __future__ import annotations

import functools
import json
import random
from datetime import datetime
from typing import Any

from ministack.services import stepfunctions as sf

from penstock_local.asl.api import ApiError, require_type
from penstock_local.asl.execution import Machine

FIRST_REVISION = "firstRevisionId"
"""Key of a record under which the revision is kept that it was created with."""

_VERSION_PARTS = 2  # NAME:VERSION or NAME:ALIAS


class MachineStore:
    """Finds state machines, versions and aliases."""

    def find(self, text: str) -> Machine:
        """The machine of an ARN, as it is now.

        An alias picks one of its versions by weight, anew each time. Raises ApiError: InvalidArn,
        StateMachineDoesNotExist.
        """
        arn = require_type(text, "stateMachine")
        scope = (arn.account, arn.region)
        record = sf._state_machines.get_scoped(*scope, text)
        if record is not None:
            return _machine(record, record)
        version_arn, alias_arn = text, None
        alias = sf._state_machine_aliases.get_scoped(*scope, text)
        if alias is not None:
            version_arn, alias_arn = _routed(alias), text
        version = sf._state_machine_versions.get_scoped(*scope, version_arn)
        record = version and sf._state_machines.get_scoped(*scope, version["stateMachineArn"])
        if not version or not record:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{text}'")
        return _machine(record, version, version_arn=version_arn, alias_arn=alias_arn)

    def has_activity(self, text: str) -> bool:
        """Whether there is an activity of this ARN."""
        arn = require_type(text, "activity")
        return bool(sf._activities.contains_scoped(arn.account, arn.region, text))


def _routed(alias: dict[str, Any]) -> str:
    routes = alias.get("routingConfiguration") or []
    weights = [route.get("weight", 0) for route in routes]
    if not any(weights):
        return ""
    chosen: str = random.choices(routes, weights)[0]["stateMachineVersionArn"]  # noqa: S311
    return chosen


def _machine(
    record: dict[str, Any],
    body: dict[str, Any],
    version_arn: str | None = None,
    alias_arn: str | None = None,
) -> Machine:
    """A machine of what a record says; `body`, a record or a version, has its definition."""
    text = body.get("definition") or record["definition"]
    return Machine(
        arn=record["stateMachineArn"],
        name=record["name"],
        definition=_parsed(text),
        role_arn=body.get("roleArn") or record["roleArn"],
        type=record.get("type", "STANDARD"),
        definition_text=text,
        version_arn=version_arn,
        alias_arn=alias_arn,
        updated=_seconds(record.get("updateDate") or record["creationDate"]),
        revision_id=shown_revision(
            record, body.get("stateMachineRevisionId") or body.get("revisionId")
        ),
        logging=body.get("loggingConfiguration"),
        encryption=body.get("encryptionConfiguration"),
    )


def shown_revision(record: dict[str, Any], revision: str | None) -> str | None:
    """The revision as the API shows it: that of a machine before its first update is not shown."""
    first = "updateDate" not in record or revision == record.get(FIRST_REVISION)
    return None if first else revision


@functools.lru_cache(maxsize=256)
def _parsed(text: str) -> dict[str, Any]:
    """The definition, parsed once for all executions: nobody may change it."""
    definition: dict[str, Any] = json.loads(text)
    return definition


def _seconds(moment: Any) -> float:
    if isinstance(moment, (int, float)):
        return float(moment)
    return datetime.fromisoformat(moment).timestamp()
