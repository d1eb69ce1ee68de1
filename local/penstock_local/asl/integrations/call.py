"""One call that a Task state makes, and in whose name."""

from __future__ import annotations

from dataclasses import dataclass

from penstock_local.asl.integrations.resource import Resource
from penstock_local.asl.values import Json


@dataclass(frozen=True, slots=True)
class Caller:
    """In whose name a call is made: a role in a region.

    With `task_role_arn` (a state's `Credentials`) it is that role's name, which the state
    machine's role must be allowed to assume.
    """

    role_arn: str
    region: str
    task_role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of a Task: what to call, with what, and as whom.

    `arguments` are evaluated (no expression left). `role_arn` is the state machine's role;
    `credentials_role_arn` the one that the state's `Credentials` names, which the machine's role
    must be allowed to assume. `token` is the task token of a `.waitForTaskToken` task; it reaches
    the service only where the arguments contain it.
    """

    resource: Resource
    arguments: Json
    role_arn: str
    region: str
    execution_arn: str
    token: str | None = None
    credentials_role_arn: str | None = None

    @property
    def caller(self) -> Caller:
        """In whose name the call is made."""
        return Caller(self.role_arn, self.region, self.credentials_role_arn)
