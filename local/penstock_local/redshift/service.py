"""Puts the Data API into the platform."""

from __future__ import annotations

import asyncio
import atexit
import importlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import router

from penstock_local import pins
from penstock_local.redshift import authorization
from penstock_local.redshift.caller import Caller
from penstock_local.redshift.constraints import MODEL, SERVICE
from penstock_local.redshift.errors import ApiError
from penstock_local.redshift.place import Place
from penstock_local.settings import LocalSettings

if TYPE_CHECKING:
    from penstock_local.redshift.actions import DataApi

TARGET_PREFIX = "RedshiftData"
_CONTENT_TYPE = "application/x-amz-json-1.1"
_MODULE = "redshift_data"
# Set to 1, databases are kept in memory and not in files.
IN_MEMORY = "PENSTOCK_LOCAL_REDSHIFT_IN_MEMORY"

Response = tuple[int, dict[str, str], bytes]


class RedshiftData:
    """The service as ministack sees a service module.

    DuckDB and sqlglot take a second to import, so this waits for the first request.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._api: DataApi | None = None
        self._opening = asyncio.Lock()

    async def handle_request(
        self, _method: str, _path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        """Answer one request."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            answer = await self._answer(operation, headers, body, query)
        except ApiError as error:
            members = {"__type": error.code, "Message": str(error), **error.members}
            reply = {"Content-Type": _CONTENT_TYPE, "x-amzn-errortype": error.code}
            return 400, reply, json.dumps(members).encode()
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return 200, {"Content-Type": _CONTENT_TYPE}, text.encode()

    async def _answer(
        self, operation: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> dict[str, Any] | str:
        if operation not in MODEL.operations:
            raise ApiError("UnknownOperationException", f"{operation} is not an operation")
        try:
            request = json.loads(body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", "The request is not JSON") from error
        MODEL.check(operation, request)
        api = await self._opened()
        return await api.answer(operation, request, headers, query)

    async def _opened(self) -> DataApi:
        async with self._opening:
            if self._api is None:
                self._api = await asyncio.to_thread(self._open)
            return self._api

    def _open(self) -> DataApi:
        actions = importlib.import_module("penstock_local.redshift.actions")
        api: DataApi = actions.open_api(self._folder)
        missing = api.operations.keys() ^ MODEL.operations.keys()
        pins.require(not missing, f"botocore's model of {SERVICE} ({', '.join(missing)})")
        return api

    def owner_of(self, statement_id: str) -> Caller | None:
        """Who has run a statement."""
        return self._api.ledger.owner(statement_id) if self._api else None

    def place_of_session(self, session_id: str) -> Place | None:
        """The database of a kept session."""
        return self._api.warehouse.session_place(session_id) if self._api else None

    def reset(self) -> None:
        """Forget all statements and all data, as the platform's reset does everywhere."""
        api, self._api = self._api, None
        if api is not None:
            api.warehouse.erase()

    def close(self) -> None:
        """Let go of threads and files."""
        if self._api is not None:
            self._api.warehouse.close()


def install(settings: LocalSettings) -> None:
    """Register the service `redshift-data`."""
    in_memory = os.environ.get(IN_MEMORY) == "1"
    service = RedshiftData(None if in_memory else settings.home / "redshift")
    pins.require(SERVICE not in app.SERVICE_HANDLERS, f"the absence of {SERVICE}")
    pins.require(isinstance(app._loaded_modules, dict), "app._loaded_modules")
    pins.require("rds-data" in router.SERVICE_PATTERNS, "router.SERVICE_PATTERNS")
    app.SERVICE_REGISTRY[SERVICE] = {"module": _MODULE}
    app._loaded_modules[_MODULE] = service
    app.SERVICE_HANDLERS[SERVICE] = service.handle_request
    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": [TARGET_PREFIX],
        "host_patterns": [r"redshift-data\."],
        "credential_scope": SERVICE,
    }
    authorization.install(service.owner_of, service.place_of_session)
    atexit.register(service.close)
