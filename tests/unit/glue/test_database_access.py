"""How a database is reached: secrets, TLS, and what is never said aloud."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from bench.mariadb_server import MariaDbMissingError, MariaDbServer
from bench.postgres_server import PostgresMissingError, PostgresServer, system_programs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto import mock_aws
from penstock_job.database_access import DatabaseAccess, Patience, database_access
from penstock_job.errors import ArgumentsError, JobError, SourceError
from penstock_job.mysql_query import run
from penstock_job.mysql_source import MysqlSource
from penstock_job.postgresql_source import PostgresqlSource
from penstock_job.work_order import SourceOrder, TableOrder
from tests.unit.glue.conftest import BUCKET
from tests.unit.glue.folder_store import FolderStore

SECRET = {
    "host": "db.example", "port": 5433, "dbname": "shop", "username": "etl", "password": "sésame",
}  # fmt: skip
CA = f"s3://{BUCKET}/config/ca.pem"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "s3")
    store.write(CA, b"certificates", "text/plain")
    return store


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager")


def access(store: FolderStore, secrets: Any, secret: Any = SECRET, **stated: Any) -> DatabaseAccess:
    text = secret if isinstance(secret, str) else json.dumps(secret)
    arn = secrets.create_secret(Name="shop", SecretString=text)["ARN"]
    source = SourceOrder("shop", "postgresql", {"secret_arn": arn, **stated})
    return database_access(source, store, store.folder, 5432, secrets)


def test_the_config_goes_before_the_secret_and_the_secret_before_the_usual(
    store: FolderStore, secrets: Any
) -> None:
    found = access(store, secrets, host="replica.example", database="archive")
    assert (found.host, found.port, found.database) == ("replica.example", 5433, "archive")
    assert (found.user, found.password) == ("etl", "sésame")
    assert "sésame" not in repr(found)


@pytest.mark.parametrize(
    ("stated", "tls"),
    [
        ({}, "require"),
        ({"tls": True, "tls_ca": CA}, "verify-full"),
        ({"tls": "require", "tls_ca": CA}, "require"),
        ({"tls": "verify-full", "tls_ca": CA}, "verify-full"),
        ({"tls": False}, "disable"),
    ],
)
def test_tls_is_on_unless_the_config_says_no(
    store: FolderStore, secrets: Any, stated: dict[str, Any], tls: str
) -> None:
    found = access(store, secrets, **stated)
    assert found.tls == tls
    if found.ca_file:
        assert found.ca_file.read_bytes() == b"certificates"


@pytest.mark.parametrize(
    ("secret", "stated", "message"),
    [
        ({}, {}, "neither the config nor the secret says host, database, username, password"),
        ("no JSON sésame", {}, "is not JSON"),
        ('["sésame"]', {}, "is no JSON object"),
        (SECRET, {"tls": "verify-full"}, "tls: verify-full needs tls_ca"),
        (SECRET, {"tls_ca": f"s3://{BUCKET}/config/none.pem"}, "none.pem does not exist"),
    ],
)
def test_what_is_missing_is_said_without_the_secret(
    store: FolderStore, secrets: Any, secret: Any, stated: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentsError, match=message) as caught:
        access(store, secrets, secret, **stated)
    assert "sésame" not in str(caught.value)


def test_a_secret_that_is_not_there_is_named(store: FolderStore, secrets: Any) -> None:
    source = SourceOrder("shop", "postgresql", {"secret_arn": "arn:aws:x:secret:none"})
    with pytest.raises(SourceError, match="arn:aws:x:secret:none cannot be read: Resource"):
        database_access(source, store, store.folder, 5432, secrets)


def certificate(name: str) -> tuple[bytes, bytes]:
    """A certificate of its own for a name or an address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    alternative: x509.GeneralName = x509.DNSName(name)
    if name[0].isdigit():
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8
    return (
        made.public_bytes(pem),
        key.private_bytes(pem, plain, serialization.NoEncryption()),
    )


@contextmanager
def server(name: str) -> Iterator[tuple[PostgresServer, bytes]]:
    try:
        programs = system_programs()
    except PostgresMissingError as error:
        pytest.skip(f"{error}: apt-get install postgresql")
    made = certificate(name)
    one = PostgresServer(programs, certificate=made).start()
    try:
        yield one, made[0]
    finally:
        one.stop()


def reached(one: Any, tls: str, ca_file: Path | None) -> DatabaseAccess:
    secret = one.secret
    return DatabaseAccess(
        secret["host"], secret["port"], secret["dbname"], secret["username"], secret["password"],
        tls, ca_file,
    )  # fmt: skip


def ask(one: PostgresServer, tls: str, ca_file: Path | None) -> str:
    """Whether the connection is encrypted, as the server sees it."""
    source = PostgresqlSource(reached(one, tls, ca_file), Patience(float))
    connection = source.connect()
    try:
        row = connection.execute(
            "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert row is not None
        return str(row[0])
    finally:
        connection.close()


def test_a_server_is_verified_by_its_certificate_and_its_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    trusted, strange = tmp_path / "trusted.pem", tmp_path / "strange.pem"
    strange.write_bytes(certificate("127.0.0.1")[0])
    with server("127.0.0.1") as (one, pem):
        trusted.write_bytes(pem)
        assert ask(one, "require", None) == "true"
        assert ask(one, "verify-full", trusted) == "true"
        with pytest.raises(JobError, match="certificate verify failed"):
            ask(one, "verify-full", strange)
        assert ask(one, "disable", None) == "false"
        assert one.secret["password"] not in caplog.text


def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    with server("other.example") as (one, pem):
        trusted.write_bytes(pem)
        with pytest.raises(JobError, match="does not match host name"):
            ask(one, "verify-full", trusted)


@contextmanager
def mariadb_server(name: str) -> Iterator[tuple[MariaDbServer, bytes]]:
    made = certificate(name)
    one = MariaDbServer(made)
    try:
        one.start()
    except MariaDbMissingError as error:
        pytest.skip(f"{error}: apt-get install mariadb-server")
    try:
        with one.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (id int)")
        yield one, made[0]
    finally:
        one.stop()


def cipher(one: MariaDbServer, tls: str, ca_file: Path | None) -> str:
    """The cipher of a connection that reads a table, as the server sees it; empty for none."""
    source = MysqlSource(reached(one, tls, ca_file), Patience(float))
    with source.read(TableOrder("t", "t")) as reading:
        [(_, found)] = run(reading.connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    return str(found)


def test_mariadb_is_verified_by_its_certificate_and_its_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    trusted, strange = tmp_path / "trusted.pem", tmp_path / "strange.pem"
    strange.write_bytes(certificate("127.0.0.1")[0])
    with mariadb_server("127.0.0.1") as (one, pem):
        trusted.write_bytes(pem)
        assert cipher(one, "require", None)
        assert cipher(one, "verify-full", trusted)
        with pytest.raises(JobError, match="certificate verify failed"):
            cipher(one, "verify-full", strange)
        assert cipher(one, "disable", None) == ""
        assert one.secret["password"] not in caplog.text


def test_a_certificate_of_mariadb_for_another_name_is_refused(tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    with mariadb_server("other.example") as (one, pem):
        trusted.write_bytes(pem)
        assert cipher(one, "require", None)
        with pytest.raises(JobError, match=r"IP address mismatch|not valid for"):
            cipher(one, "verify-full", trusted)
