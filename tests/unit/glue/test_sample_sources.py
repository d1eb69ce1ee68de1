"""The example's sources without the internet."""

from __future__ import annotations

import csv
import http.client
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from penstock_cli.sample_sources import (
    BAD_CASES,
    BAD_RECOVERED,
    CASES_FILE,
    RECOVERED_FILE,
    serve,
    write_sample,
)


def ask(url: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, parts.path, headers=names)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_the_sample_is_the_same_every_time_and_has_good_and_bad_records(tmp_path: Path) -> None:
    write_sample(tmp_path / "a")
    write_sample(tmp_path / "b")

    for name, bad in ((CASES_FILE, BAD_CASES), (RECOVERED_FILE, BAD_RECOVERED)):
        text = (tmp_path / "a" / name).read_text()
        assert text == (tmp_path / "b" / name).read_text()
        assert all(f"\n{line}\n" in text for line in bad)
    with (tmp_path / "a" / RECOVERED_FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"US", "Korea, South"} <= {row["Country/Region"] for row in rows}
    assert sum(row["Country/Region"] == "US" for row in rows) == 57
    assert len(rows) < 500


def test_the_sample_is_served_on_loopback_while_it_is_needed() -> None:
    with serve() as url:
        response, body = ask(f"{url}/{CASES_FILE}")
    assert urlsplit(url).hostname == "127.0.0.1"
    assert (response.status, body[:17]) == (200, b"date,cases,deaths")

    with pytest.raises(ConnectionRefusedError):
        ask(f"{url}/{CASES_FILE}")
    assert not [thread for thread in threading.enumerate() if thread.name == "sources"]


def test_a_folder_is_served_and_what_is_not_in_it_is_404(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    (tmp_path / "served/mine.csv").write_text("a\n1\n")
    (tmp_path / "secret.csv").write_text("no")

    with serve(tmp_path / "served") as url:
        assert ask(f"{url}/mine.csv")[1] == b"a\n1\n"
        for path in ("us.csv", "", "../secret.csv", "%2e%2e/secret.csv", "served/mine.csv", "."):
            assert ask(f"{url}/{path}")[0].status == 404


def test_a_client_that_knows_the_file_already_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n")

    with serve(tmp_path) as url:
        first, _ = ask(f"{url}/a.csv")
        etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
        by_tag, body = ask(f"{url}/a.csv", If_None_Match=etag)
        by_date, _ = ask(f"{url}/a.csv", If_Modified_Since=modified)
        (tmp_path / "a.csv").write_text("b\n")
        changed, _ = ask(f"{url}/a.csv", If_None_Match=etag)
        head, nothing = ask(f"{url}/a.csv", method="HEAD")

    assert (by_tag.status, body, by_date.status, changed.status) == (304, b"", 304, 200)
    assert (head.status, head.headers["Content-Length"], nothing) == (200, "2", b"")
