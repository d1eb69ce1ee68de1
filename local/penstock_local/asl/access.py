"""Which resource an IAM policy must allow, for requests that ministack does not look into."""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions

from penstock_local import pins


def install() -> None:
    """Let requests about a Map Run be judged by its ARN (ministack sees "*" in them)."""
    others = pins.replace(iam_actions, "extract_resource_arn", None)

    def extract_resource_arn(service: str, *request: Any, **more: Any) -> Any:
        if service == "states" and (arn := _map_run_arn(request)) is not None:
            return arn
        return others(service, *request, **more)

    iam_actions.extract_resource_arn = extract_resource_arn


def _map_run_arn(request: tuple[Any, ...]) -> str | None:
    body = next((part for part in request if isinstance(part, bytes)), b"")
    if b'"mapRunArn"' not in body:
        return None
    try:
        arn = json.loads(body).get("mapRunArn")
    except (ValueError, AttributeError):
        return None
    return arn if isinstance(arn, str) else None
