"""Calls over HTTP in the name of a role, on threads whose number is bounded."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from penstock_local import sessions
from penstock_local.asl.integrations.call import Caller
from penstock_local.asl.integrations.errors import (
    RefusedError,
    RoleNotTrustingError,
    TaskRoleRefusedError,
    UnreachableError,
)
from penstock_local.sessions import Credentials

PRINCIPAL = "states.amazonaws.com"

# A session serves this long; then the role is asked anew whether it still admits Step Functions.
SESSION_SECONDS = 900

# Lambda answers an invocation after at most 15 minutes, StartSyncExecution after 5.
_READ_TIMEOUTS = {"lambda": 920}
_READ_TIMEOUT = 320


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered: the output by the API's own names, and facts of the transport."""

    output: dict[str, Any]
    status: int
    headers: dict[str, str]
    request_id: str | None


class Clients:
    """Calls any service at one endpoint as any role.

    Lambda invocations have threads of their own, for they may last; so they cannot keep other
    calls waiting. Nothing is retried: that is for the state's `Retry` to say.
    """

    def __init__(self, endpoint: str, lambda_calls: int = 32, other_calls: int = 32) -> None:
        """Raises ValueError when `endpoint` is not on loopback."""
        _require_loopback(endpoint)
        self._endpoint = endpoint
        self._session = _bare_session()
        self._sizes = {"lambda": lambda_calls}
        self._other_calls = other_calls
        self._lambda_threads = ThreadPoolExecutor(lambda_calls, "asl-lambda")
        self._threads = ThreadPoolExecutor(other_calls, "asl-call")
        self._lock = threading.Lock()
        self._clients: dict[tuple[Caller, str], tuple[Any, float]] = {}
        self._credentials: dict[Caller, tuple[Credentials, float]] = {}

    async def call(
        self, caller: Caller, service: str, operation: str, parameters: dict[str, Any]
    ) -> Answer:
        """Call an operation (`GetObject`); streamed bodies come as bytes.

        Raises a `CallFailedError`: RefusedError, UnreachableError, RoleNotTrustingError or
        TaskRoleRefusedError.
        """
        threads = self._lambda_threads if service == "lambda" else self._threads
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            threads, self._call, caller, service, operation, parameters
        )

    def close(self) -> None:
        """Give up the threads; calls under way end by themselves."""
        for threads in (self._lambda_threads, self._threads):
            threads.shutdown(wait=False, cancel_futures=True)

    def _call(
        self, caller: Caller, service: str, operation: str, parameters: dict[str, Any]
    ) -> Answer:
        client = self._client(caller, service)
        try:
            output = getattr(client, xform_name(operation))(**parameters)
            facts = output.pop("ResponseMetadata", {})
            for name, value in output.items():
                if hasattr(value, "read"):
                    output[name] = value.read()
        except ClientError as error:
            raise _refused(error, service) from error
        except BotoCoreError as error:
            raise UnreachableError(f"Unable to execute HTTP request: {error}") from error
        return Answer(
            output,
            facts.get("HTTPStatusCode", 200),
            facts.get("HTTPHeaders", {}),
            facts.get("RequestId"),
        )

    def _client(self, caller: Caller, service: str) -> Any:
        """The caller's client of a service; made one at a time, for botocore's loaders' sake."""
        with self._lock:
            found = self._clients.get((caller, service))
            if found is None or found[1] < time.monotonic():
                credentials, until = self._credentials_of(caller)
                found = self._new_client(service, caller.region, credentials), until
                self._clients[caller, service] = found
            return found[0]

    def _credentials_of(self, caller: Caller) -> tuple[Credentials, float]:
        found = self._credentials.get(caller)
        if found is None or found[1] < time.monotonic():
            found = self._assume(caller), time.monotonic() + SESSION_SECONDS
            self._credentials[caller] = found
        return found

    def _assume(self, caller: Caller) -> Credentials:
        if caller.task_role_arn is not None:
            return self._assume_task_role(caller, caller.task_role_arn)
        try:
            return sessions.role_session(caller.role_arn, secrets.token_hex(16), PRINCIPAL)
        except sessions.RoleRefusedError as error:
            raise RoleNotTrustingError(
                "Neither the global service principal states.amazonaws.com, nor the regional one"
                f" is authorized to assume the provided role. {error}."
            ) from error

    def _assume_task_role(self, caller: Caller, task_role_arn: str) -> Credentials:
        machine = Caller(caller.role_arn, caller.region)
        sts = self._new_client("sts", caller.region, self._credentials_of(machine)[0])
        try:
            answer = sts.assume_role(RoleArn=task_role_arn, RoleSessionName=secrets.token_hex(16))
        except (ClientError, BotoCoreError) as error:
            raise TaskRoleRefusedError(caller.role_arn, task_role_arn) from error
        assumed = answer["Credentials"]
        return Credentials(
            assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"]
        )

    def _new_client(self, service: str, region: str, credentials: Credentials) -> Any:
        config = Config(
            retries={"total_max_attempts": 1},
            read_timeout=_READ_TIMEOUTS.get(service, _READ_TIMEOUT),
            max_pool_connections=self._sizes.get(service, self._other_calls),
            # What the service does not like, the service is to say.
            parameter_validation=False,
            inject_host_prefix=False,
            proxies={},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self._endpoint,
            config=config,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
        )


def _bare_session() -> botocore.session.Session:
    """A session that knows nothing of the files and the profile of the person at the keyboard."""
    blind: dict[str, tuple[None, None, str | None, None]] = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return botocore.session.Session(session_vars=blind)


def _require_loopback(endpoint: str) -> None:
    host = urlsplit(endpoint).hostname or ""
    if host != "localhost" and not _is_loopback(host):
        raise ValueError(f"{endpoint} is not on loopback: Penstock Local calls nothing else")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(error: ClientError, service: str) -> RefusedError:
    details: Any = error.response.get("Error", {})
    facts: Any = error.response.get("ResponseMetadata", {})
    host_id = facts.get("HostId") or facts.get("HTTPHeaders", {}).get("x-amz-id-2")
    return RefusedError(
        code=str(details.get("Code", "Unknown")).rsplit("#", 1)[-1],
        message=str(details.get("Message", "")),
        status=int(facts.get("HTTPStatusCode", 0)),
        request_id=facts.get("RequestId"),
        extended_request_id=host_id if service == "s3" else None,
        shape=details.get("QueryErrorCode"),
    )
