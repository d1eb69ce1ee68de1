"""Puts EMR Serverless into the platform."""

from __future__ import annotations

import asyncio
import atexit
import json
from typing import Any

from ministack import app
from ministack.core import iam_actions, router

from penstock_local import pins
from penstock_local.api_error import ApiError
from penstock_local.emr_serverless import resource_names
from penstock_local.emr_serverless.actions import Actions
from penstock_local.emr_serverless.execution import Executions
from penstock_local.job_processes.processes import Processes
from penstock_local.rest_route import RestRoutes
from penstock_local.runtimes.folder import Runtimes
from penstock_local.service_model import ServiceModel
from penstock_local.settings import LocalSettings

SERVICE = "emr-serverless"
MODEL = ServiceModel(SERVICE)
_MODULE = "emr_serverless"
_CONTENT_TYPE = {"Content-Type": "application/json"}

Response = tuple[int, dict[str, str], bytes]


class EmrServerless:
    """The service as ministack sees a service module."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._routes = RestRoutes(MODEL)

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        """Answer one request."""
        try:
            operation, request = self._routes.read(method, path, body, query)
            MODEL.check(operation, request)
            access_key = router.extract_access_key_id(headers, query)
            # What it starts may call back into this server.
            answer = await asyncio.to_thread(self._actions.answer, operation, request, access_key)
        except ApiError as error:
            reply = {**_CONTENT_TYPE, "x-amzn-errortype": error.code}
            status = 403 if error.code == "AccessDeniedException" else error.status
            return status, reply, json.dumps({"message": str(error)}).encode()
        return 200, dict(_CONTENT_TYPE), json.dumps(answer).encode()

    def reset(self) -> None:
        """Cancel and forget all, as the platform's reset does everywhere."""
        self._actions.job_runs.forget()
        self._actions.applications.forget()


def install(settings: LocalSettings) -> None:
    """Register the service `emr-serverless`; every process ends with this one."""
    processes = Processes(settings.home / SERVICE)
    atexit.register(processes.close)
    executions = Executions(settings, Runtimes(settings.runtimes), processes)
    service = EmrServerless(Actions(executions))
    pins.require(SERVICE not in app.SERVICE_HANDLERS, f"the absence of {SERVICE}")
    pins.require(isinstance(app._loaded_modules, dict), "app._loaded_modules")
    pins.require("rds-data" in router.SERVICE_PATTERNS, "router.SERVICE_PATTERNS")
    pins.require("scheduler" in iam_actions._BOTOCORE_SERVICE_MAP, "_BOTOCORE_SERVICE_MAP")
    app.SERVICE_REGISTRY[SERVICE] = {"module": _MODULE}
    app._loaded_modules[_MODULE] = service
    app.SERVICE_HANDLERS[SERVICE] = service.handle_request
    router.SERVICE_PATTERNS[SERVICE] = {
        "host_patterns": [r"emr-serverless\."],
        "credential_scope": SERVICE,
    }
    iam_actions._BOTOCORE_SERVICE_MAP[SERVICE] = [SERVICE]
    resource_names.install(SERVICE)
