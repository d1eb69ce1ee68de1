"""Fetching a source: what is tried again, what is final, and how a refusal reads."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from penstock_job.errors import SourceError
from penstock_job.http_source import (
    Validators,
    download,
    download_if_changed,
    without_secrets,
)

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(*answers: Answer) -> Iterator[tuple[str, list[str]]]:
    """Gives its answers one after the other, the last one for ever; lists the requests."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            answers[min(len(seen), len(answers)) - 1](self)

        def log_message(self, *_: object) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_port}", seen
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


def status(code: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def body(content: bytes, announced: int | None = None, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        length = len(content) if announced is None else announced
        handler.send_header("Content-Length", str(length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def broken_chunks(handler: BaseHTTPRequestHandler) -> None:
    """Half of a body in chunks: no length is announced, and the end never comes."""
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"4\r\nhalf\r\n8\r\nth")
    handler.close_connection = True


def with_validators(content: bytes) -> Answer:
    """A server that keeps to RFC 9110: 304 to whoever has the file already."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers["If-None-Match"] == '"v1"':
            status(304, ETag='"v1"')(handler)
        else:
            body(content, ETag='"v1"')(handler)

    return answer


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.close()


def fetch(url: str, folder: Path) -> tuple[bytes, list[float]]:
    pauses: list[float] = []
    fetched = download(url, folder / "file", timeout=5, sleep=pauses.append)
    content = (folder / "file").read_bytes()
    assert fetched.bytes == len(content)
    assert fetched.sha256 == hashlib.sha256(content).hexdigest()
    return content, pauses


def test_a_file_is_streamed_with_its_size_hash_and_validators(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,2\n" * 1_000_000
    with server(body(content, ETag='"v1"', Last_Modified="Sat, 21 Nov 2026 05:00:00 GMT")) as (
        url,
        _,
    ):
        fetched = download(f"{url}/us.csv", tmp_path / "file")

    assert fetched.as_json() == {
        "url": f"{url}/us.csv",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "etag": '"v1"',
        "last_modified": "Sat, 21 Nov 2026 05:00:00 GMT",
    }


@pytest.mark.parametrize(
    "failure",
    [status(500), status(503), status(429), hang_up, body(b"half", announced=100), broken_chunks],
    ids=["500", "503", "429", "connection closed", "broken off", "broken off in chunks"],
)
def test_what_may_pass_is_tried_again_after_a_pause(tmp_path: Path, failure: Answer) -> None:
    with server(failure, failure, body(b"whole")) as (url, seen):
        content, pauses = fetch(f"{url}/us.csv", tmp_path)

    assert (content, len(seen)) == (b"whole", 3)
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0


@pytest.mark.parametrize(
    ("code", "reason"), [(404, "Not Found"), (403, "Forbidden"), (410, "Gone")]
)
def test_a_refusal_is_final_and_names_address_and_status(
    tmp_path: Path, code: int, reason: str
) -> None:
    with server(status(code)) as (url, seen), pytest.raises(SourceError) as refused:
        fetch(f"{url}/us.csv", tmp_path)

    assert str(refused.value) == f"{url}/us.csv answered {code} {reason}"
    assert len(seen) == 1


@pytest.mark.parametrize(("stated", "waited"), [("7", 7), ("3600", 0), ("tomorrow", 0)])
def test_a_server_may_ask_for_a_longer_pause_but_not_for_any(
    tmp_path: Path, stated: str, waited: float
) -> None:
    with server(status(503, Retry_After=stated), body(b"whole")) as (url, _):
        _, pauses = fetch(f"{url}/us.csv", tmp_path)

    assert waited + 0.25 <= pauses[0] <= waited + 0.5


def test_a_file_that_the_server_knows_to_be_unchanged_is_not_sent_again(tmp_path: Path) -> None:
    with server(with_validators(b"a\n1\n")) as (url, _):
        first = download_if_changed(url, tmp_path / "file", Validators())
        assert first is not None
        known = Validators(first.etag, first.last_modified)
        assert download_if_changed(url, tmp_path / "none", known) is None

    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (status(304), "answered 304 Not Modified"),
        (status(204), "answered 204 No Content, which is no file"),
        (body(b"x", Content_Encoding="br"), "was sent encoded as br, though nobody asked"),
    ],
)
def test_an_answer_that_holds_no_file_is_refused(tmp_path: Path, answer: Answer, text: str) -> None:
    with server(answer) as (url, seen), pytest.raises(SourceError, match=text):
        fetch(f"{url}/us.csv", tmp_path)
    assert len(seen) == 1


def test_attempts_are_bounded_and_the_last_failure_is_told(tmp_path: Path) -> None:
    with server(status(503)) as (url, seen), pytest.raises(SourceError) as refused:
        fetch(f"{url}/us.csv", tmp_path)

    assert str(refused.value) == f"{url}/us.csv answered 503 Service Unavailable (4 attempts)"
    assert len(seen) == 4


def test_a_server_that_is_not_there_is_told_with_its_address(tmp_path: Path) -> None:
    with server(status(200)) as (url, _):
        pass

    with pytest.raises(SourceError) as refused:
        fetch(f"{url}/us.csv", tmp_path)

    assert f"{url}/us.csv could not be read" in str(refused.value)
    assert "refused (4 attempts)" in str(refused.value)


def test_a_redirect_is_followed_but_not_away_from_http(tmp_path: Path) -> None:
    with server(status(302, Location="/moved.csv"), body(b"here")) as (url, seen):
        assert fetch(f"{url}/us.csv", tmp_path)[0] == b"here"
    assert seen == ["/us.csv", "/moved.csv"]

    with server(status(302, Location="file:///etc/passwd")) as (url, _), pytest.raises(SourceError):
        fetch(f"{url}/us.csv", tmp_path)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/us.csv", "us.csv"])
def test_only_http_addresses_are_taken(tmp_path: Path, url: str) -> None:
    with pytest.raises(SourceError, match="is no http or https address"):
        fetch(url, tmp_path)


def test_secrets_in_an_address_are_not_repeated() -> None:
    assert without_secrets("https://me:pw@host:8443/a.csv?token=x#y") == "https://host:8443/a.csv"
