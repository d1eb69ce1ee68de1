"""POSTs JSON to an AWS service, signed here: for loads, which send tens of thousands of requests.

botocore takes about a millisecond of a processor for each signed request, apart from its work on
the content; the same request costs a small part of that when the signing key is made once a day, as
Signature Version 4 allows, and each thread keeps one connection.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import NoCredentialsError

from penstock_job.http_wire import HttpWire, WireError, connect

CONTENT_TYPE = "application/x-amz-json-1.0"
ALGORITHM = "AWS4-HMAC-SHA256"


class UnansweredError(Exception):
    """The connection broke or nothing came in time; whether the request was carried out is open."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


class SignedEndpoint:
    """One service in the session's Region. Several threads may post at the same time."""

    def __init__(
        self,
        service: str,
        target: str,
        session: boto3.Session,
        now: Callable[[], datetime] = _now,
    ) -> None:
        client: Any = session.client(service)
        url = urlsplit(client.meta.endpoint_url)
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        self._service = service
        self._target = target
        self._region: str = client.meta.region_name
        self._host, self._path = url.netloc, url.path or "/"
        self._secure = url.scheme == "https"
        self._credentials = credentials
        self._now = now
        self._signing_key: tuple[tuple[str, str], bytes] = (("", ""), b"")
        self._own = threading.local()

    def post(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """The status and the content of the answer. Raises UnansweredError when there is none."""
        headers = self.headers(operation, body)
        try:
            wire = self._wire()
        except OSError as error:
            raise UnansweredError(f"{type(error).__name__}: {error}") from error
        try:
            return wire.post(self._path, headers, body)
        except (OSError, WireError) as error:
            wire.close()  # the next request opens another
            raise UnansweredError(f"{type(error).__name__}: {error}") from error

    def headers(self, operation: str, body: bytes) -> Mapping[str, str]:
        """The headers of a request, its signature among them.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
        """
        credentials = self._credentials.get_frozen_credentials()
        moment = self._now().strftime("%Y%m%dT%H%M%SZ")
        signed = {
            "content-type": CONTENT_TYPE,
            "host": self._host,
            "x-amz-date": moment,
            "x-amz-target": f"{self._target}.{operation}",
        }
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        names = sorted(signed)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        canonical = "\n".join(
            ("POST", self._path, "", lines, ";".join(names), hashlib.sha256(body).hexdigest())
        )
        scope = f"{moment[:8]}/{self._region}/{self._service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{digest}"
        key = self._key(credentials.secret_key or "", moment[:8])
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return {
            **signed,
            "authorization": f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}",
        }

    def _key(self, secret: str, day: str) -> bytes:
        made_for, key = self._signing_key  # one read: another thread may replace the pair
        if made_for != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._signing_key = ((secret, day), key)
        return key

    def _wire(self) -> HttpWire:
        wire: HttpWire | None = getattr(self._own, "wire", None)
        if wire is None or not wire.is_open:
            wire = self._own.wire = HttpWire(self._connected())
        return wire

    def _connected(self) -> socket:
        return connect(self._host, secure=self._secure)
