"""One connection that stays open, for many small exchanges of HTTP/1.1.

http.client parses every answer as it would an e-mail, which takes ten times as long as all else of
an exchange. It opens the connection (TLS, time-outs); what is said over it is written here.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from socket import socket
from typing import BinaryIO

from botocore.httpsession import get_cert_path

TIMEOUT_SECONDS = 20
MOST_HEADER_BYTES = 65536


class WireError(Exception):
    """What came is no answer of HTTP/1.1, or ends before its end."""


def connect(host: str, *, secure: bool) -> socket:
    """A connected socket. Raises OSError."""
    connection = HTTPConnection(host, timeout=TIMEOUT_SECONDS)
    if secure:
        bundle = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True)
        context = ssl.create_default_context(cafile=bundle)
        connection = HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=context)
    connection.connect()
    connected: socket = connection.sock
    return connected


class HttpWire:
    """Posts over one socket. After a failure, or once `is_open` is false, it is of no use."""

    def __init__(self, connected: socket) -> None:
        self._socket = connected
        self._file: BinaryIO = connected.makefile("rb")
        self.is_open = True

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        self._file.close()
        self._socket.close()

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """The status and the content of the answer. Raises OSError or WireError."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode("latin-1") + body)  # at once: one packet where it fits
        status = self._status()
        told = self._headers()
        if told.get(b"transfer-encoding", b"").lower() == b"chunked":
            content = self._chunks()
        else:
            content = self._exactly(_length(told))
        if told.get(b"connection", b"").lower() == b"close":
            self.close()
        return status, content

    def _status(self) -> int:
        line = self._line()
        parts = line.split(None, 2)
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
            raise WireError(f"{line[:80]!r} is no answer")
        return int(parts[1])

    def _headers(self) -> dict[bytes, bytes]:
        told = {}
        while line := self._line().rstrip(b"\r\n"):
            name, _, value = line.partition(b":")
            told[name.lower()] = value.strip()
        return told

    def _chunks(self) -> bytes:
        parts = []
        while size := _number(self._line().partition(b";")[0].strip(), 16):
            parts.append(self._exactly(size))
            self._line()
        self._headers()  # what may follow the last chunk
        return b"".join(parts)

    def _line(self) -> bytes:
        line = self._file.readline(MOST_HEADER_BYTES)
        if not line.endswith(b"\n"):
            raise WireError("the connection was closed")
        return line

    def _exactly(self, length: int) -> bytes:
        content = self._file.read(length)
        if len(content) < length:
            raise WireError(f"the answer ended after {len(content)} of {length} bytes")
        return content


def _length(told: Mapping[bytes, bytes]) -> int:
    if b"content-length" not in told:
        raise WireError("the answer does not say how long it is")
    return _number(told[b"content-length"], 10)


def _number(text: bytes, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise WireError(f"{text[:80]!r} is no length") from None
