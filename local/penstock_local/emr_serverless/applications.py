"""All applications of an instance."""

from __future__ import annotations

import threading
from typing import Any

from ministack.core.responses import get_account_id, get_region

from penstock_local.api_error import ApiError, validation
from penstock_local.emr_serverless.application import Application, ApplicationState, new_id

LOCAL = "local"
"""The application that every instance has: so a stack can name one before any is made."""
# The release with the Spark of this machine.
_LOCAL = {"name": "local", "releaseLabel": "emr-7.11.0", "type": "SPARK"}

_MAY_BE_DELETED = (ApplicationState.CREATED, ApplicationState.STOPPED)


class Applications:
    """Made, found, started, stopped and deleted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[tuple[str, str, str], Application] = {}
        self._tokens: dict[tuple[str, str, str], Application] = {}

    def create(self, request: dict[str, Any]) -> Application:
        """Make an application; the same one for a client token that was seen before."""
        with self._lock:
            token = _key(request["clientToken"])
            if token not in self._tokens:
                made = Application.define(request, new_id())
                self._all[_key(made.id)] = self._tokens[token] = made
            return self._tokens[token]

    def get(self, application_id: str) -> Application:
        """An application of the request's account and region.

        Raises ResourceNotFoundException.
        """
        with self._lock:
            key = _key(application_id)
            if application_id == LOCAL and key not in self._all:
                self._all[key] = Application.define(_LOCAL, LOCAL)
            found = self._all.get(key)
        if found is None:
            message = f"Application {application_id} does not exist"
            raise ApiError("ResourceNotFoundException", message, status=404)
        return found

    def listed(self) -> list[Application]:
        """Those of the request's account and region, the newest first."""
        self.get(LOCAL)
        scope = (get_account_id(), get_region())
        return [one for one in reversed(list(self._all.values())) if one.scope == scope]

    def start(self, application_id: str) -> None:
        """Start an application. Raises ValidationException when it is terminated."""
        application = self.get(application_id)
        _require(application, application.state is not ApplicationState.TERMINATED, "started")
        application.enter(ApplicationState.STARTED)

    def stop(self, application_id: str, *, is_at_work: bool) -> None:
        """Stop an application. Raises ValidationException while it has open job runs."""
        application = self.get(application_id)
        open_still = is_at_work or application.state is ApplicationState.TERMINATED
        _require(application, not open_still, "stopped")
        application.enter(ApplicationState.STOPPED)

    def delete(self, application_id: str) -> None:
        """Delete an application, which can still be looked at. Raises ValidationException."""
        application = self.get(application_id)
        _require(application, application.state in _MAY_BE_DELETED, "deleted")
        application.enter(ApplicationState.TERMINATED)

    def forget(self) -> None:
        """Forget all."""
        with self._lock:
            self._all.clear()
            self._tokens.clear()


def _key(name: str) -> tuple[str, str, str]:
    return get_account_id(), get_region(), name


def _require(application: Application, allowed: bool, what: str) -> None:
    if not allowed:
        state = application.state
        raise validation(f"Application {application.id} is {state} or at work: not {what}")
