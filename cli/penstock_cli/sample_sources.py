"""The example's sources without the internet: two small CSV files, and a loopback web server.

The files have the shape of the real ones (The New York Times' `us.csv`, and the Johns Hopkins
time series in long form) with made-up numbers, always the same. A few records in them are bad, so
that a run shows what becomes of rejects; each bad record is one too many, no good one is missing.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

CASES_FILE = "us.csv"
RECOVERED_FILE = "time-series-19-covid-combined.csv"

FIRST_DAY = dt.date(2020, 2, 1)
CASE_DAYS = 60
RECOVERED_FROM, RECOVERED_DAYS = 1, 56  # the second file begins later and ends earlier
BAD_CASES = ("2020-02-30,120,3", "2020-03-05,n/a,11", "2020-03-12,900")
BAD_RECOVERED = (
    "2020-03-09,US,,37.0902,-95.7129,583,-7,22",
    "2020-03-15,Korea, South,,35.9078,127.7669,8162,510,75",
)

# Country, province, latitude, longitude, weight of its numbers, whether recoveries are reported.
PLACES: tuple[tuple[str, str, str, str, int, bool], ...] = (
    ("Afghanistan", "", "33.0", "65.0", 1, True),
    ("Canada", "Alberta", "53.9333", "-116.5765", 2, False),
    ("Cote d'Ivoire", "", "7.54", "-5.5471", 1, True),
    ("Korea, South", "", "35.9078", "127.7669", 4, True),
    ("Netherlands", "Bonaire, Sint Eustatius and Saba", "12.1784", "-68.2385", 1, True),
    ("US", "", "37.0902", "-95.7129", 12, True),
)


def write_sample(folder: Path) -> None:
    """Write both files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / CASES_FILE, ["date", "cases", "deaths"], _cases(), BAD_CASES)
    header = ["Date", "Country/Region", "Province/State", "Lat", "Long"]
    header += ["Confirmed", "Recovered", "Deaths"]
    _write(folder / RECOVERED_FILE, header, _recovered(), BAD_RECOVERED)


@contextmanager
def serve(folder: Path | None = None, port: int = 0) -> Iterator[str]:
    """Serve the files of a folder (None: of the sample) on 127.0.0.1; gives the base URL.

    Port 0 takes a free one. Only files directly in the folder are served; all else is 404.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="penstock-sources-") as made:
            write_sample(Path(made))
            with serve(Path(made), port) as url:
                yield url
        return
    server = _FolderServer(("127.0.0.1", port), folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sources")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _write(file: Path, header: list[str], rows: Iterator[list[Any]], bad: tuple[str, ...]) -> None:
    waiting = list(bad)
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            while waiting and waiting[0] < str(row[0]):
                text.write(waiting.pop(0) + "\n")
            writer.writerow(row)
        text.writelines(line + "\n" for line in waiting)


def _cases() -> Iterator[list[Any]]:
    for day in range(CASE_DAYS):
        yield [_date(day), _growth(day, 12), _growth(day, 12) // 45]


def _recovered() -> Iterator[list[Any]]:
    for day in range(RECOVERED_FROM, RECOVERED_FROM + RECOVERED_DAYS):
        for country, province, latitude, longitude, weight, reported in PLACES:
            confirmed = _growth(day, weight)
            recovered = confirmed * day // 300 if reported else ""
            place = [_date(day), country, province, latitude, longitude]
            yield [*place, confirmed, recovered, confirmed // 50]


def _date(day: int) -> str:
    return (FIRST_DAY + dt.timedelta(days=day)).isoformat()


def _growth(day: int, weight: int) -> int:
    return weight * (day**3 // 20 + 3 * day + 1)


class _FolderServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], folder: Path) -> None:
        self.folder = folder
        super().__init__(address, _FileHandler)

    def file(self, path: str) -> Path | None:
        """The file for a request's path; None unless it lies directly in the folder."""
        name = unquote(urlsplit(path).path).lstrip("/")
        return next((file for file in self.folder.iterdir() if file.name == name), None)


class _FileHandler(BaseHTTPRequestHandler):
    server: _FolderServer

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
        """Say nothing: the terminal belongs to the command."""

    def _answer(self, *, with_body: bool) -> None:
        file = self.server.file(self.path)
        if file is None or not file.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = file.read_bytes()
        modified = int(file.stat().st_mtime)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        known = self._is_known(etag, modified)
        self.send_response(HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK)
        self.send_header("ETag", etag)
        self.send_header("Last-Modified", formatdate(modified, usegmt=True))
        if not known:
            self.send_header("Content-Type", "text/csv; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body and not known:
            self.wfile.write(body)

    def _is_known(self, etag: str, modified: int) -> bool:
        tags = self.headers["If-None-Match"]
        if tags is not None:
            return etag in [tag.strip() for tag in tags.split(",")] or tags.strip() == "*"
        since = self.headers["If-Modified-Since"]
        try:
            return since is not None and modified <= parsedate_to_datetime(since).timestamp()
        except ValueError:
            return False
