"""Answers of HTTP/1.1 as servers give them, and those that are none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from penstock_job.http_wire import HttpWire, WireError, connect
from penstock_job.signed_endpoint import SignedEndpoint, UnansweredError


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[HttpWire, list[bytes]]]:
    """A wire to a server that takes a request of ten bytes for each of these answers."""
    asked: list[bytes] = []

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            for answer in answers:
                request = b""
                while not request.endswith(b"0123456789"):
                    request += connection.recv(65536)
                asked.append(request)
                for byte in range(0, len(answer), 7):  # in pieces, as networks deliver
                    connection.sendall(answer[byte : byte + 7])

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        wire = HttpWire(connect(f"127.0.0.1:{server.getsockname()[1]}", secure=False))
        try:
            yield wire, asked
        finally:
            wire.close()
            thread.join()


def post(wire: HttpWire) -> tuple[int, bytes]:
    return wire.post("/", {"host": "here", "x-one": "1"}, b"0123456789")


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"


def test_many_requests_go_over_one_connection() -> None:
    refused = b"HTTP/1.1 400 \r\ncontent-length: 0\r\n\r\n"
    with answering(PLAIN, refused, PLAIN) as (wire, asked):
        assert [post(wire) for _ in range(3)] == [(200, b"hello"), (400, b""), (200, b"hello")]
        assert wire.is_open

    assert (
        asked
        == [b"POST / HTTP/1.1\r\nhost: here\r\nx-one: 1\r\ncontent-length: 10\r\n\r\n0123456789"]
        * 3
    )


def test_an_answer_may_come_in_chunks() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\nhel\r\n0a\r\nlo world, \r\n1\r\n!\r\n0\r\nTrailer: 1\r\n\r\n"
    )
    with answering(chunked, PLAIN) as (wire, _):
        assert post(wire) == (200, b"hello world, !")
        assert post(wire) == (200, b"hello")


def test_a_server_that_closes_is_not_asked_again() -> None:
    closing = b"HTTP/1.1 500 Oh no\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
    with answering(closing) as (wire, _):
        assert post(wire) == (500, b"no")
        assert not wire.is_open


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "was closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "was closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "after 5 of 9 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "does not say how long"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "is no length"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "is no answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "after 3 of 5 bytes"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer: bytes, text: str) -> None:
    with answering(answer) as (wire, _), pytest.raises(WireError, match=text):
        post(wire)


def test_an_endpoint_opens_its_connection_again_after_it_was_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def serve(server: socket.socket) -> None:
        for _ in range(2):  # closes without a word after each answer
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(PLAIN)

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        session = boto3.Session("test", "test", region_name="eu-central-1")
        endpoint = SignedEndpoint("dynamodb", "DynamoDB_20120810", session)
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        assert endpoint.post("BatchWriteItem", b"{}") == (200, b"hello")
        with pytest.raises(UnansweredError):
            endpoint.post("BatchWriteItem", b"{}")
        assert endpoint.post("BatchWriteItem", b"{}") == (200, b"hello")
        thread.join()

    endpoint._wire().close()
    with pytest.raises(UnansweredError, match="ConnectionRefusedError"):
        endpoint.post("BatchWriteItem", b"{}")
