"""A platform in this process, so that roles' sessions are real and IAM is enforced."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.local.asl.integrations.calls import ACCOUNT, REGION, Answers
from tests.local.asl.integrations.reading import BUCKET, Reader

from penstock_local.asl.integrations import Caller, Integrations
from penstock_local.asl.integrations import integrations as facade
from penstock_local.settings import LocalSettings


@dataclass(frozen=True)
class Platform:
    """Where ministack listens, and root's clients to prepare it with."""

    endpoint: str

    def client(self, service: str) -> Any:
        """Root's client of a service."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )

    def role(self, name: str, *actions: str, trusts: str = "states.amazonaws.com") -> str:
        """A role that may do these actions on everything; its ARN."""
        iam = self.client("iam")
        trust = {"Service": trusts} if trusts.endswith(".com") else {"AWS": trusts}
        statement = {"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))[
            "Role"
        ]["Arn"]
        if actions:
            allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
        return arn


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    port = _free_port()
    home = tmp_path_factory.mktemp("platform")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _variables(port, home).items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        from ministack import app
        from ministack.services import lambda_svc

        from penstock_local.lambda_functions.service import PythonFunctions

        patch.setattr(app, "AUTH", True)
        functions = PythonFunctions(LocalSettings(home / "local", home, port, lambda_workers=2))
        patch.setattr(lambda_svc, "_execute_function_warm", functions.execute)
        loop = asyncio.new_event_loop()
        ended = asyncio.Event()
        thread = threading.Thread(target=_serve, args=(loop, app.app, port, ended))
        thread.start()
        _wait_until_open(port)
        yield Platform(f"http://127.0.0.1:{port}")
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)
        loop.close()
        functions.pool.stop()


def _variables(port: int, home: Path) -> dict[str, str]:
    return {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AUTH": "true",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(home / "state"),
        "S3_DATA_DIR": str(home / "s3"),
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
    }


def _serve(loop: asyncio.AbstractEventLoop, app: Any, port: int, ended: asyncio.Event) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config as ServerConfig

    config = ServerConfig()
    config.bind = [f"127.0.0.1:{port}"]
    config.loglevel = "ERROR"
    config.graceful_timeout = 0.5

    async def until_ended() -> None:
        await ended.wait()

    loop.run_until_complete(serve(app, config, shutdown_trigger=until_ended))


def _wait_until_open(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise TimeoutError


@pytest.fixture(scope="session")
def integrations(platform: Platform) -> Iterator[Integrations]:
    made = Integrations(platform)
    yield made
    made.close()


@dataclass(frozen=True)
class Stubbed:
    """Integrations whose services answer as the test says."""

    integrations: Integrations
    patch: pytest.MonkeyPatch

    def answers(self, service: str) -> Answers:
        return Answers(self.integrations, self.patch, service)


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubbed]:
    """Integrations without a platform; jobs are asked after at once."""
    monkeypatch.setattr(facade, "FIRST_PAUSE", 0.001)
    made = Integrations(Platform("http://127.0.0.1:1"))
    yield Stubbed(made, monkeypatch)
    made.close()


@pytest.fixture(scope="session")
def reader(platform: Platform, integrations: Integrations) -> Reader:
    s3 = platform.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    caller = Caller(platform.role("reader", "s3:GetObject", "s3:ListBucket"), REGION)
    return Reader(s3, integrations, caller)
