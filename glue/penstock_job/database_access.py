"""How a database is reached: its address and its secret, TLS, and connecting with patience."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from penstock_job.errors import ArgumentsError, SourceError
from penstock_job.object_store import ObjectStore
from penstock_job.work_order import SourceOrder

logger = logging.getLogger(__name__)

ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
CONNECT_TIMEOUT_SECONDS = 10
NO_TLS, REQUIRE, VERIFY_FULL = "disable", "require", "verify-full"

Connection = TypeVar("Connection")


@dataclass(frozen=True)
class DatabaseAccess:
    """Where a database is and who we are there. The password is never shown."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    tls: str = REQUIRE
    ca_file: Path | None = None


class TransientConnectError(Exception):
    """A connection that another attempt may get."""


def database_access(
    source: SourceOrder, store: ObjectStore, folder: Path, default_port: int, secrets: Any = None
) -> DatabaseAccess:
    """Read a source's secret, and fetch the certificates to verify it by.

    What the config states (host, port, database) goes before what the secret says. Raises
    SourceError and ArgumentsError, never with a value of the secret.
    """
    stated = source.connection
    secret = _secret(stated["secret_arn"], secrets or boto3.client("secretsmanager"))
    found = {
        "host": stated.get("host") or secret.get("host"),
        "database": stated.get("database") or secret.get("dbname") or secret.get("database"),
        "username": secret.get("username"),
        "password": secret.get("password"),
    }
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise ArgumentsError(
            f"source {source.name}: neither the config nor the secret says {', '.join(missing)}"
        )
    ca_file = _ca_file(stated.get("tls_ca"), store, folder)
    return DatabaseAccess(
        host=str(found["host"]),
        port=int(stated.get("port") or secret.get("port") or default_port),
        database=str(found["database"]),
        user=str(found["username"]),
        password=str(found["password"]),
        tls=_tls(stated.get("tls", True), ca_file),
        ca_file=ca_file,
    )


class Patience:
    """Connects to one database, again where that may help; once it was in vain, not as long."""

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, attempts: int = ATTEMPTS
    ) -> None:
        self._sleep = sleep
        self._attempts = attempts

    def connect(self, place: str, attempt: Callable[[], Connection]) -> Connection:
        """Call `attempt` until it gives a connection. Raises SourceError.

        Between attempts is a pause of random length that grows. A database that was not there for
        one table is tried but once for the next: a thousand tables would wait for hours otherwise.
        """
        for number in range(1, self._attempts + 1):
            try:
                connection = attempt()
            except TransientConnectError as error:  # noqa: PERF203 - each attempt may fail
                if number == self._attempts:
                    attempts, self._attempts = self._attempts, 1
                    raise SourceError(f"{place}: {error} ({attempts} attempts)") from error
                logger.warning("%s: %s; attempt %d of %d", place, error, number, self._attempts)
                pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (number - 1))
                self._sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter, no secret
            else:
                self._attempts = max(self._attempts, 2)
                return connection
        raise AssertionError("unreachable")


def _secret(arn: str, client: Any) -> dict[str, Any]:
    try:
        text = client.get_secret_value(SecretId=arn)["SecretString"]
        secret: dict[str, Any] = json.loads(text)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise SourceError(f"the secret {arn} cannot be read: {code}") from None
    except BotoCoreError as error:
        raise SourceError(f"the secret {arn} cannot be read: {error}") from None
    except (KeyError, ValueError):
        raise ArgumentsError(f"the secret {arn} is not JSON") from None
    if not isinstance(secret, dict):
        raise ArgumentsError(f"the secret {arn} is no JSON object")
    return secret


def _ca_file(path: str | None, store: ObjectStore, folder: Path) -> Path | None:
    if not path:
        return None
    body = store.read(path)
    if body is None:
        raise ArgumentsError(f"tls_ca: {path} does not exist")
    file = folder / "ca.pem"
    file.write_bytes(body)
    return file


def _tls(stated: Any, ca_file: Path | None) -> str:
    """The mode of TLS: encrypted unless the config says no; verified where there is what by."""
    if stated is False:
        return NO_TLS
    if stated is True:
        return VERIFY_FULL if ca_file else REQUIRE
    if stated == VERIFY_FULL and ca_file is None:
        raise ArgumentsError("tls: verify-full needs tls_ca, the certificates to verify by")
    return str(stated)
