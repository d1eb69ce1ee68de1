"""An application: what job runs are started on."""

from __future__ import annotations

import secrets
import string
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ministack.core.responses import get_account_id, get_region

from penstock_local.api_error import validation

DEFAULT_CONCURRENT_RUNS = 15
"""Of an application with a scheduler configuration that names no number."""

_KEPT = (
    "name", "releaseLabel", "type", "initialCapacity", "maximumCapacity", "tags",
    "autoStartConfiguration", "autoStopConfiguration", "networkConfiguration", "architecture",
    "workerTypeSpecifications", "runtimeConfiguration", "monitoringConfiguration",
    "diskEncryptionConfiguration", "interactiveConfiguration", "schedulerConfiguration",
)  # fmt: skip
_SUMMARY = (
    "name", "arn", "releaseLabel", "type", "state", "stateDetails", "createdAt", "updatedAt",
    "architecture",
)  # fmt: skip
_ID_CHARACTERS = string.digits + string.ascii_lowercase


class ApplicationState(StrEnum):
    """EMR Serverless' words for where an application stands."""

    CREATED = "CREATED"
    STARTED = "STARTED"
    STOPPED = "STOPPED"
    TERMINATED = "TERMINATED"


def new_id() -> str:
    """An id as EMR Serverless makes them."""
    return "00" + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(14))


@dataclass(eq=False)
class Application:
    """An application; `record` is what GetApplication answers, `scope` its account and region."""

    record: dict[str, Any]
    scope: tuple[str, str] = field(default_factory=lambda: (get_account_id(), get_region()))

    @classmethod
    def define(cls, request: Mapping[str, Any], application_id: str) -> Application:
        """The application that a CreateApplication request describes, with defaults filled in."""
        now = time.time()
        base = f"arn:aws:emr-serverless:{get_region()}:{get_account_id()}"
        record = {
            "applicationId": application_id,
            "arn": f"{base}:/applications/{application_id}",
            "state": str(ApplicationState.CREATED),
            "stateDetails": "",
            "createdAt": now,
            "updatedAt": now,
            "tags": {},
            "architecture": "X86_64",
            "autoStartConfiguration": {"enabled": True},
            "autoStopConfiguration": {"enabled": True, "idleTimeoutMinutes": 15},
            **{name: request[name] for name in _KEPT if request.get(name) is not None},
        }
        return cls(record)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.record["applicationId"])

    @property
    def state(self) -> ApplicationState:
        """Where it stands."""
        return ApplicationState(self.record["state"])

    @property
    def summary(self) -> dict[str, Any]:
        """What ListApplications answers of it."""
        known = {name: self.record[name] for name in _SUMMARY if name in self.record}
        return {"id": self.id, **known}

    @property
    def concurrent_runs(self) -> int:
        """How many of its job runs may work at once; the others are queued."""
        scheduler = self.record.get("schedulerConfiguration")
        if scheduler is None:
            return sys.maxsize
        return int(scheduler.get("maxConcurrentRuns") or DEFAULT_CONCURRENT_RUNS)

    def enter(self, state: ApplicationState) -> None:
        """Go to a state."""
        self.record.update(state=str(state), updatedAt=time.time())

    def admit_job_run(self) -> None:
        """Start the application if need be. Raises ValidationException if it must not be."""
        if self.state is ApplicationState.STARTED:
            return
        starts_itself = self.record["autoStartConfiguration"].get("enabled", True)
        if self.state is ApplicationState.TERMINATED or not starts_itself:
            raise validation(f"Application {self.id} is {self.state}: it takes no job runs")
        self.enter(ApplicationState.STARTED)
