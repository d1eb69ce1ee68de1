"""A platform with nothing but the Data API added, and the calls that tests make."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

REPOSITORY = Path(__file__).parents[3]
REGION = "eu-central-1"
ACCOUNT = "123456789012"
WORKGROUP = "analytics"

_LAUNCH = (
    "import sys; from penstock_local import launcher; "
    "launcher.REPAIRS = ('penstock_local.redshift',); sys.exit(launcher.main())"
)


class Platform:
    """A running instance on a free port."""

    def __init__(self, home: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.home = home
        self.log = home.parent / "platform.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _LAUNCH],
                cwd=REPOSITORY,
                env={
                    **os.environ,
                    "PENSTOCK_LOCAL_PORT": str(self.port),
                    "PENSTOCK_LOCAL_HOME": str(home),
                    "PENSTOCK_LOCAL_WITH_PARENT": "1",
                    **environment,
                },
                stdout=log,
                stderr=log,
            )
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            if (self.home / "ready.json").exists():
                return
            if self._process.poll() is not None:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.1)
        raise RuntimeError("the platform does not answer:\n" + self.log.read_text())

    def stop(self) -> int:
        """End it as `kill` does; its exit status."""
        self._process.terminate()
        return self._process.wait(20)

    @property
    def pid(self) -> int:
        return self._process.pid

    def client(self, service: str, **credentials: str) -> Any:
        keys: dict[str, Any] = {
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            **credentials,
        }
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            config=Config(proxies={}, retries={"max_attempts": 0}, max_pool_connections=50),
            **keys,
        )

    def role(self, name: str, statements: Sequence[dict[str, Any]], trusted: str) -> str:
        """A role that `trusted` may assume; its ARN."""
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
        if trusted.startswith("arn:"):
            trust["Principal"] = {"AWS": trusted}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        self.allow(name, statements)
        return arn

    def allow(self, role: str, statements: Sequence[dict[str, Any]]) -> None:
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", **statement} for statement in statements],
        }
        self.client("iam").put_role_policy(
            RoleName=role, PolicyName="inline", PolicyDocument=json.dumps(document)
        )

    def as_role(self, service: str, arn: str, session: str = "tests") -> Any:
        """A client with the credentials of a role that the account may assume."""
        assumed = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)
        keys = assumed["Credentials"]
        return self.client(
            service,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def reset(self) -> None:
        request = urllib.request.Request(f"{self.endpoint}/_ministack/reset", method="POST")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(request, timeout=30).read()


class Database:
    """One database of the test's own, asked through boto3."""

    def __init__(self, client: Any, name: str, **target: str) -> None:
        self.client = client
        self.name = name
        self.target = {**(target or {"WorkgroupName": WORKGROUP}), "Database": name}

    def run(self, *sqls: str, **arguments: Any) -> dict[str, Any]:
        """Run one SQL, or several as a batch, to the end; the description."""
        call = {**self.target, "WaitTimeSeconds": 30, **arguments}
        if len(sqls) == 1:
            started = self.client.execute_statement(Sql=sqls[0], **call)
        else:
            started = self.client.batch_execute_statement(Sqls=list(sqls), **call)
        return self._described(started["Id"])

    def _described(self, statement_id: str) -> dict[str, Any]:
        while True:
            described: dict[str, Any] = self.client.describe_statement(
                Id=statement_id, WaitTimeSeconds=30
            )
            if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                return described

    def ok(self, *sqls: str, **arguments: Any) -> dict[str, Any]:
        """Like `run`, of what must succeed."""
        described = self.run(*sqls, **arguments)
        assert described["Status"] == "FINISHED", described.get("Error")
        return described

    def error(self, *sqls: str, **arguments: Any) -> str:
        """The error of what must fail."""
        described = self.run(*sqls, **arguments)
        assert described["Status"] == "FAILED", described
        return str(described["Error"])

    def rows(self, sql: str, **arguments: Any) -> list[tuple[Any, ...]]:
        """All rows of a query, with None for NULL."""
        return self.result(self.ok(sql, **arguments)["Id"])

    def result(self, statement_id: str) -> list[tuple[Any, ...]]:
        pages = self.client.get_paginator("get_statement_result").paginate(Id=statement_id)
        return [
            tuple(value(field) for field in record) for page in pages for record in page["Records"]
        ]

    def value(self, sql: str, **arguments: Any) -> Any:
        """The only value of a query."""
        ((only,),) = self.rows(sql, **arguments)
        return only


def value(field: dict[str, Any]) -> Any:
    (kind, content), *_ = field.items()
    return None if kind == "isNull" else content


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": content} for name, content in values.items()]
