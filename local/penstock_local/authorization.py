"""Who calls, and whether IAM lets them do what a request needs besides its own action."""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region

from penstock_local import pins
from penstock_local.api_error import ApiError


def require(
    access_key: str, action: str, resource: str, context: dict[str, Any] | None = None
) -> None:
    """Raise AccessDeniedException unless the caller may do `action`, when IAM is enforced."""
    if not app.AUTH:
        return
    denied = iam_evaluator.enforce(
        access_key,
        action,
        action.partition(":")[0],
        get_region(),
        resource_arn=resource,
        service_context=context,
    )
    if denied is None:
        return
    if isinstance(denied, iam_evaluator.AuthError):
        raise ApiError(denied.code, denied.message)
    explicit = denied.decision == "Deny"
    message = iam_actions.identity_denial_message(action, denied.principal_arn, resource, explicit)
    raise ApiError("AccessDeniedException", message)


def require_pass_role(access_key: str, role_arn: str, service: str) -> None:
    """Raise AccessDeniedException unless the caller may hand the role to `service`."""
    require(access_key, "iam:PassRole", role_arn, {"iam:PassedToService": service})


def signer() -> str:
    """The access key that has signed the request of this context; empty for the root's."""
    pins.require(hasattr(iam_evaluator, "_verified_key"), "iam_evaluator._verified_key")
    return str(iam_evaluator._verified_key.get())


def caller_arn(access_key: str) -> str:
    """The ARN of the caller; the account itself where there are no credentials to tell."""
    identity = iam_evaluator.resolve_caller_identity(access_key)
    return str(identity["userArn"]) if identity else f"arn:aws:iam::{get_account_id()}:root"
