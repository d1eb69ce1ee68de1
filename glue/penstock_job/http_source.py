"""A file behind an HTTP address: streamed to disk, measured, tried again where that may help."""

from __future__ import annotations

import hashlib
import http.client
import logging
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from penstock_job.errors import SourceError

if TYPE_CHECKING:
    from email.message import Message

logger = logging.getLogger(__name__)

ATTEMPTS = 4
TIMEOUT_SECONDS = 30.0  # for connecting, and for every read
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
LONGEST_RETRY_AFTER_SECONDS = 60.0  # a server that asks for more patience is not waited for
BLOCK = 1 << 20
OK = 200
NOT_MODIFIED = 304
TOO_MANY_REQUESTS = 429
SERVER_FAULT = 500
KNOWN_ENCODINGS = ("", "identity", "gzip", "x-gzip")


@dataclass(frozen=True)
class Validators:
    """What a server said of a file the last time: by these it can tell whether it has changed."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """The headers that make a request conditional (RFC 9110, section 13)."""
        stated = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in stated.items() if value}


@dataclass(frozen=True)
class Download:
    """What was fetched: the address without secrets, the size in bytes, SHA-256, validators."""

    url: str
    bytes: int
    sha256: str
    etag: str | None
    last_modified: str | None

    def as_json(self) -> dict[str, Any]:
        """For the manifest: from which bytes exactly the data came."""
        return {
            "url": self.url,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "etag": self.etag,
            "last_modified": self.last_modified,
        }


class _TransientError(Exception):
    """A failure that another attempt may not meet; `wait` is how long the server asks to wait."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


def download(
    url: str,
    file: Path,
    *,
    timeout: float = TIMEOUT_SECONDS,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
) -> Download:
    """Fetch `url` to `file`.

    A server fault (5xx, 429) and a broken connection are tried again, after a pause of random
    length that grows; any other refusal is final. Raises SourceError.
    """
    fetched = download_if_changed(
        url, file, Validators(), timeout=timeout, attempts=attempts, sleep=sleep
    )
    if fetched is None:
        raise SourceError(f"{without_secrets(url)} answered 304 Not Modified without being asked")
    return fetched


def download_if_changed(
    url: str,
    file: Path,
    known: Validators,
    *,
    timeout: float = TIMEOUT_SECONDS,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
) -> Download | None:
    """Fetch `url` as `download` does, or return None where the server says: still the same.

    A server may ignore the validators; then the file comes whole and its SHA-256 tells.
    """
    shown = without_secrets(url)
    if urlsplit(url).scheme not in ("http", "https"):
        raise SourceError(f"{shown} is no http or https address")
    for attempt in range(1, attempts + 1):
        try:
            return _fetch(url, shown, file, known, timeout)
        except _TransientError as error:  # noqa: PERF203 - each attempt may fail
            if attempt == attempts:
                raise SourceError(f"{shown} {error} ({attempts} attempts)") from error
            logger.warning("%s %s; attempt %d of %d", shown, error, attempt, attempts)
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            sleep(error.wait + random.uniform(pause / 2, pause))  # noqa: S311 - no secret
    raise AssertionError("unreachable")


def without_secrets(url: str) -> str:
    """The address without user, password and query, which may hold a token."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _fetch(url: str, shown: str, file: Path, known: Validators, timeout: float) -> Download | None:
    headers = {"User-Agent": "penstock", "Accept-Encoding": "identity", **known.headers()}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - its scheme was checked
    try:
        with _opener().open(request, timeout=timeout) as response:
            _require_file(shown, response)
            size, digest = _copy(response, file)
            _require_whole(size, response.headers)
            said = response.headers
            return Download(shown, size, digest, said["ETag"], said["Last-Modified"])
    except urllib.error.HTTPError as error:
        with error:
            _require_unchanged(shown, error, known)
        return None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        cause = getattr(error, "reason", None) or error
        raise _TransientError(f"could not be read: {cause or type(cause).__name__}") from error


def _require_unchanged(shown: str, error: urllib.error.HTTPError, known: Validators) -> None:
    """Raises for whatever is no file, unless the answer is that the file is the same as before."""
    if error.code == NOT_MODIFIED and known.headers():
        return
    answer = f"answered {error.code} {error.reason}"
    if error.code >= SERVER_FAULT or error.code == TOO_MANY_REQUESTS:
        raise _TransientError(answer, _asked_to_wait(error.headers)) from error
    raise SourceError(f"{shown} {answer}") from error


def _asked_to_wait(headers: Message) -> float:
    stated = headers["Retry-After"] or ""
    seconds = float(stated) if stated.isdigit() else 0.0  # a date is not worth a clock's trust
    return seconds if seconds <= LONGEST_RETRY_AFTER_SECONDS else 0.0


def _require_file(shown: str, response: http.client.HTTPResponse) -> None:
    if response.status != OK:
        raise SourceError(f"{shown} answered {response.status} {response.reason}, which is no file")
    encoding = (response.headers["Content-Encoding"] or "").lower()
    if encoding not in KNOWN_ENCODINGS:
        raise SourceError(f"{shown} was sent encoded as {encoding}, though nobody asked for that")


def _opener() -> urllib.request.OpenerDirector:
    # Not urlopen: its opener would follow a redirect to ftp, too.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _copy(response: http.client.HTTPResponse, file: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    with file.open("wb") as target:
        while True:
            block = response.read(BLOCK)
            if not block:
                return size, digest.hexdigest()
            digest.update(block)
            size += target.write(block)


def _require_whole(size: int, headers: Message) -> None:
    announced = headers["Content-Length"]
    if announced is not None and announced.isdigit() and int(announced) != size:
        raise _TransientError(f"broke off after {size} of {announced} bytes")
