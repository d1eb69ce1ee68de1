"""In whose name a run works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock_local.job_processes.clients import client
from penstock_local.sessions import Credentials, role_session


@dataclass(frozen=True, slots=True)
class RoleSession:
    """A role's credentials, the region they are used in, and the URL of every service."""

    role: str
    credentials: Credentials
    region: str
    endpoint: str

    @classmethod
    def start(cls, role: str, name: str, principal: str, region: str, endpoint: str) -> RoleSession:
        """Assume a role as the service `principal`. Raises RoleRefusedError."""
        return cls(role, role_session(role, name, principal), region, endpoint)

    def client(self, service: str) -> Any:
        """A client of a service in the role's name."""
        return client(service, self.credentials, self.region, self.endpoint)

    def environment(self) -> dict[str, str]:
        """The variables by which every SDK finds credentials, region and services."""
        return {**self.credentials.as_environment(), **place(self.region, self.endpoint)}


def place(region: str, endpoint: str) -> dict[str, str]:
    """The variables that name the region and the services, without credentials."""
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
    }
