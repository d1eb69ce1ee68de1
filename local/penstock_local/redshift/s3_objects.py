"""S3 as COPY and UNLOAD use it: through the platform's own API, in the name of the role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from penstock_local import settings
from penstock_local.redshift.errors import SqlError
from penstock_local.redshift.session import Session
from penstock_local.sessions import RoleRefusedError, role_session

SERVICE = "redshift.amazonaws.com"
_SESSION_NAME = "RedshiftIamRoleSession"


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket and a key, or the beginning of keys."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, url: str) -> Location:
        """Read `s3://bucket/key`."""
        scheme, _, path = url.partition("://")
        bucket, _, key = path.partition("/")
        if scheme.lower() != "s3" or not bucket:
            raise SqlError(f"The location {url} is not on Amazon S3: it must start with s3://")
        return cls(bucket, key)

    @property
    def url(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that is to be read."""

    location: Location
    size: int


class Bucket:
    """The objects that a role may reach."""

    def __init__(self, session: Session, role: str, region: str | None) -> None:
        self._session = session
        try:
            credentials = role_session(role, _SESSION_NAME, SERVICE)
        except RoleRefusedError as error:
            user = session.place.user_arn(session.user)
            raise SqlError(f"User {user} is not authorized to assume IAM Role {role}") from error
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=settings.current().endpoint,
            region_name=region or session.place.region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
            # The platform is on loopback: a proxy of the environment must never see this.
            config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
        )

    def list(self, prefix: Location) -> list[StoredObject]:
        """Every object whose key starts so, in the order of keys."""
        found = []
        with _redshift_errors():
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=prefix.bucket, Prefix=prefix.key
            )
            for page in pages:
                self._session.stop_if_cancelled()
                found += [
                    StoredObject(Location(prefix.bucket, item["Key"]), int(item["Size"]))
                    for item in page.get("Contents", [])
                ]
        return found

    def size(self, location: Location) -> int | None:
        """The size of an object; None if there is none."""
        try:
            with _redshift_errors():
                head = self._s3.head_object(Bucket=location.bucket, Key=location.key)
        except SqlError as error:
            if "Status 404" in str(error):
                return None
            raise
        return int(head["ContentLength"])

    def read_json(self, location: Location) -> Any:
        """A manifest or JSONPaths file."""
        with _redshift_errors():
            body = self._s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
        try:
            return json.loads(body)
        except ValueError as error:
            raise SqlError(f"{location.url} is not valid JSON") from error

    def download(self, location: Location, file: Path) -> None:
        """Bring an object to disk."""
        self._session.stop_if_cancelled()
        with _redshift_errors(), file.open("wb") as out:
            self._s3.download_fileobj(location.bucket, location.key, out)

    def upload(self, file: Path, location: Location) -> None:
        """Put a file."""
        self._session.stop_if_cancelled()
        with _redshift_errors(), file.open("rb") as content:
            self._s3.upload_fileobj(content, location.bucket, location.key)

    def put(self, body: bytes, location: Location) -> None:
        """Put a small object."""
        with _redshift_errors():
            self._s3.put_object(Bucket=location.bucket, Key=location.key, Body=body)

    def delete(self, location: Location) -> None:
        """Delete an object."""
        with _redshift_errors():
            self._s3.delete_object(Bucket=location.bucket, Key=location.key)


@contextmanager
def _redshift_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code = error.response["Error"]["Code"]
        message = error.response["Error"].get("Message", "")
        # A HEAD has no body: botocore then names the status instead of a code.
        names = {"403": ("AccessDenied", "Access Denied"), "404": ("NoSuchKey", "Not Found")}
        code, message = names.get(code, (code, message))
        raise SqlError(f"S3ServiceException:{message},Status {status},Error {code}") from error
    except (BotoCoreError, OSError) as error:
        raise SqlError(f"S3ServiceException:{error}") from error
