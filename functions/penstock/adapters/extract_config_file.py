"""Extract configs in S3, YAML or JSON, and the JSON Schema that says what they may hold."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import yaml
from botocore.exceptions import ClientError
from fastjsonschema import JsonSchemaValueException
from fastjsonschema import compile as compile_schema

from penstock.domain.extract_config import (
    ExtractConfig,
    InvalidExtractConfigError,
    extract_config,
    in_lines,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_s3 import S3Client

LARGEST_CONFIG: Final = 10_000_000
LONGEST_VALUE: Final = 80
_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
_DENIED: Final = frozenset({"AccessDenied", "403"})


class ExtractConfigFiles:
    """Where extract configs lie: any bucket that the function may read."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def load(self, uri: str) -> ExtractConfig:
        """Return the config; raise InvalidExtractConfigError that says what is wrong and where."""
        document = parse(self._read(uri), uri)
        check(document, "config", f"{uri} cannot be used")
        return extract_config(document)

    def _read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _ABSENT:
                raise InvalidExtractConfigError(f"extract_config: there is no {uri}") from None
            if code in _DENIED:
                where = "the data bucket, or a bucket named by the parameter ExtractConfigBucket"
                raise InvalidExtractConfigError(
                    f"extract_config: Penstock may not read {uri}; put it in {where}"
                ) from None
            raise
        return answer["Body"].read(LARGEST_CONFIG)


def check_request(request: Mapping[str, Any]) -> None:
    """Raise InvalidExtractConfigError if the event has not the right shape."""
    check(request, "request", "the event cannot be used")


def parse(content: bytes, name: str) -> Any:
    """Return what the YAML or JSON says; raise InvalidExtractConfigError with the line."""
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = " ".join(str(error).split())
        raise InvalidExtractConfigError(f"{name} is neither YAML nor JSON: {message}") from None


def check(document: Any, part: str, title: str) -> None:
    """Raise InvalidExtractConfigError with the path, the value and what was expected there."""
    try:
        _validator(part)(document)
    except JsonSchemaValueException as error:
        problem = f"{_path(error.path[1:])}: {_explained(error)}"
        raise InvalidExtractConfigError(in_lines(title, [problem])) from None


@cache
def _validator(part: str) -> Any:
    text = files("penstock").joinpath("extract_config.schema.json").read_text("utf-8")
    schema = json.loads(text)
    if part == "request":
        schema = {"definitions": schema["definitions"], **schema["definitions"]["request"]}
    return compile_schema(schema, use_default=False)


def _path(steps: Sequence[str]) -> str:
    text = "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps)
    return text.removeprefix(".") or "the document"


def _explained(error: JsonSchemaValueException) -> str:
    value, expected = error.value, error.rule_definition
    written = json.dumps(value, ensure_ascii=False, default=str)
    shown = written if len(written) <= LONGEST_VALUE else f"{written[: LONGEST_VALUE - 1]}…"
    match error.rule:
        case "required":
            return f"{', '.join(name for name in expected if name not in value)} is missing"
        case "additionalProperties":
            known = error.definition["properties"]
            unknown = [name for name in value if name not in known]
            return f"{', '.join(unknown)} is no field here; there are {', '.join(known)}"
        case "type":
            return f"is {shown}, but has to be of type {expected}"
        case "enum":
            return f"is {shown}, but has to be one of {', '.join(map(str, expected))}"
        case "const":
            return f"is {shown}, but has to be {json.dumps(expected)}"
        case "minItems" | "minLength":
            return f"is {shown}: empty"
    return f"is {shown}, but has to satisfy {error.rule} {expected}"
