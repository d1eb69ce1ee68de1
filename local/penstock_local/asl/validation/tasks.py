"""The form of Task states: what they call, and with what."""

from __future__ import annotations

from typing import Any

from penstock_local.asl.integrations import resource as resources
from penstock_local.asl.integrations.resource import Resource, UnknownResourceError
from penstock_local.asl.template import is_expression
from penstock_local.asl.validation.arguments import check_arguments
from penstock_local.asl.validation.findings import Findings
from penstock_local.asl.validation.kinds import OBJECT_OR_EXPRESSION


def check_task(state: dict[str, Any], location: str, machine_type: str, findings: Findings) -> None:
    """Check the Resource of a Task, its Arguments, Credentials and timeouts."""
    if isinstance(state.get("Resource"), str):
        resource = _recognised(state["Resource"], f"{location}/Resource", findings)
        if resource is not None:
            _check_express(resource, location, machine_type, findings)
            _check_arguments(state, resource, location, findings)
            _check_credentials(state, resource, location, findings)
    _check_heartbeat(state, location, findings)


def _recognised(text: str, location: str, findings: Findings) -> Resource | None:
    if not text.startswith("arn:"):
        findings.schema("Value is not a valid resource ARN", location)
        return None
    try:
        return resources.parse(text)
    except UnknownResourceError:
        findings.schema(
            f"The resource provided {text} is not recognized. The value is not a valid resource"
            " ARN, or the resource is not available in this region.",
            location,
        )
        return None


def _check_express(
    resource: Resource, location: str, machine_type: str, findings: Findings
) -> None:
    if machine_type != "EXPRESS":
        return
    if resource.kind == "activity":
        findings.schema(
            "Express state machine does not support Activity ARN", f"{location}/Resource"
        )
    if resource.pattern is not None:
        pattern = resource.pattern.partition(":")[0]
        # The blank at the end is the service's own.
        findings.schema(
            f"Express state machine does not support '.{pattern}' service integration ",
            f"{location}/Resource",
        )


def _check_arguments(
    state: dict[str, Any], resource: Resource, location: str, findings: Findings
) -> None:
    if resource.kind not in ("optimized", "aws_sdk"):
        return
    if "Arguments" not in state:
        findings.schema(
            f"Arguments field is required for resource ARN: {resource.text}",
            f"{location}/Resource",
        )
        return
    arguments, where = state["Arguments"], f"{location}/Arguments"
    OBJECT_OR_EXPRESSION.check(arguments, where, findings)
    if isinstance(arguments, dict):
        check_arguments(arguments, resource, where, findings)


def _check_credentials(
    state: dict[str, Any], resource: Resource, location: str, findings: Findings
) -> None:
    credentials = state.get("Credentials")
    if not isinstance(credentials, dict):
        return
    where = f"{location}/Credentials"
    if resource.kind == "activity":
        findings.schema("The field 'Credentials' is not supported for activities", where)
    elif "RoleArn" not in credentials:
        findings.schema("The field 'RoleArn' is required but was missing", where)
        return  # the service does not say which other fields it found in its place
    for field in credentials:
        if field != "RoleArn":
            findings.unsupported(field, where)


def _check_heartbeat(state: dict[str, Any], location: str, findings: Findings) -> None:
    heartbeat, timeout = state.get("HeartbeatSeconds"), state.get("TimeoutSeconds")
    if is_expression(heartbeat) or is_expression(timeout):
        return
    if isinstance(heartbeat, int) and isinstance(timeout, int) and heartbeat >= timeout:
        findings.schema(
            "The value of 'HeartbeatSeconds' must be smaller than that of 'TimeoutSeconds'",
            f"{location}/HeartbeatSeconds",
        )
