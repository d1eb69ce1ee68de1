"""Temporary credentials of a role, as AWS services get them when they act in its name."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import get_account_id, set_request_account_id
from ministack.services import iam, sts

# Longer than any job of a person's day; ministack drops sessions that have expired.
SESSION_SECONDS = 24 * 3600


class RoleRefusedError(Exception):
    """The role does not exist, or its trust policy does not admit the service that asks."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key of a role session."""

    access_key: str
    secret_key: str
    token: str

    def as_environment(self) -> dict[str, str]:
        """The variables by which every AWS SDK finds these credentials."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token,
        }


def role_session(role_arn: str, session_name: str, service: str | None = None) -> Credentials:
    """Start a session of a role and return its credentials.

    `service` is the principal that asks (`states.amazonaws.com`); with it the role must exist
    and its trust policy must admit that principal. Raises RoleRefusedError otherwise.
    """
    account = role_arn.split(":")[4]
    name = role_arn.rsplit("/", 1)[-1]
    if service is not None:
        _require_trust(account, name, role_arn, service)
    credentials = Credentials(
        access_key="ASIA" + secrets.token_hex(8).upper(),
        secret_key=secrets.token_hex(20),
        token=secrets.token_hex(32),
    )
    sts.register_session(
        credentials.access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
            "UserId": f"{name}:{session_name}",
            "SecretAccessKey": credentials.secret_key,
            "SessionToken": credentials.token,
            "Expiration": time.time() + SESSION_SECONDS,
        },
    )
    return credentials


def _require_trust(account: str, name: str, role_arn: str, service: str) -> None:
    role = _role(account, name)
    if role is None:
        raise RoleRefusedError(f"The role {role_arn} does not exist")
    document = role.get("AssumeRolePolicyDocument") or "{}"
    policy = json.loads(document) if isinstance(document, str) else document
    if not any(_admits(statement, service) for statement in _as_list(policy.get("Statement"))):
        raise RoleRefusedError(f"The role {role_arn} does not trust {service}")


def _role(account: str, name: str) -> dict[str, Any] | None:
    previous = get_account_id()
    set_request_account_id(account)
    try:
        role: dict[str, Any] | None = iam._roles.get(name)
        return role
    finally:
        set_request_account_id(previous)


def _admits(statement: dict[str, Any], service: str) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal") or {}
    services = principal if isinstance(principal, str) else principal.get("Service", [])
    return service in _as_list(services) or "*" in _as_list(services)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
