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
BLOCK = 1 << 20
TOO_MANY_REQUESTS = 429
SERVER_FAULT = 500


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
    """A failure that another attempt may not meet."""


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
    shown = without_secrets(url)
    if urlsplit(url).scheme not in ("http", "https"):
        raise SourceError(f"{shown} is no http or https address")
    for attempt in range(1, attempts + 1):
        try:
            return _fetch(url, shown, file, timeout)
        except _TransientError as error:  # noqa: PERF203 - each attempt may fail
            if attempt == attempts:
                raise SourceError(f"{shown} {error} ({attempts} attempts)") from error
            logger.warning("%s %s; attempt %d of %d", shown, error, attempt, attempts)
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


def without_secrets(url: str) -> str:
    """The address without user, password and query, which may hold a token."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _fetch(url: str, shown: str, file: Path, timeout: float) -> Download:
    request = urllib.request.Request(  # noqa: S310 - download() has checked the scheme
        url, headers={"User-Agent": "penstock", "Accept-Encoding": "identity"}
    )
    try:
        with _opener().open(request, timeout=timeout) as response:
            size, digest = _copy(response, file)
            _require_whole(size, response.headers)
            headers = response.headers
            return Download(shown, size, digest, headers["ETag"], headers["Last-Modified"])
    except urllib.error.HTTPError as error:
        with error:
            answer = f"answered {error.code} {error.reason}"
        if error.code >= SERVER_FAULT or error.code == TOO_MANY_REQUESTS:
            raise _TransientError(answer) from error
        raise SourceError(f"{shown} {answer}") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        cause = getattr(error, "reason", None) or error
        raise _TransientError(f"could not be read: {cause or type(cause).__name__}") from error


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
