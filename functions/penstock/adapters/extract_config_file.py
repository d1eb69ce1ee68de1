"""Extract configs in S3, YAML or JSON, and the JSON Schema that says what they may hold."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, cast

import yaml
from botocore.exceptions import ClientError
from jsonschema import Draft202012Validator

from penstock.domain.extract_config import (
    ExtractConfig,
    InvalidExtractConfigError,
    extract_config,
    in_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema import ValidationError
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
    """Raise InvalidExtractConfigError with path, value and expectation of all that is wrong."""
    errors = sorted(
        _validator(part).iter_errors(document), key=lambda error: list(map(str, error.path))
    )
    problems = list(dict.fromkeys(line for error in errors for line in _explained(error)))
    if problems:
        raise InvalidExtractConfigError(in_lines(title, problems))


@cache
def _validator(part: str) -> Draft202012Validator:
    text = files("penstock").joinpath("extract_config.schema.json").read_text("utf-8")
    schema = json.loads(text)
    if part == "request":
        schema = {"$defs": schema["$defs"], "$ref": "#/$defs/request"}
    return Draft202012Validator(schema)


def _explained(error: ValidationError) -> Iterable[str]:
    """Yield a line per problem; of alternatives, those of the one that was probably meant."""
    if error.validator == "oneOf" and error.context:
        meant = [e for e in error.context if e.schema_path[0] == _meant(error)]
        for inner in meant:
            yield from _explained(inner)
        return
    yield f"{_path(error)}: {_message(error)}"


def _meant(error: ValidationError) -> int:
    """Return the number of the alternative whose type the value has: text first, then map, list."""
    return 0 if isinstance(error.instance, str) else 1


def _path(error: ValidationError) -> str:
    text = ""
    for step in error.absolute_path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".") or "the document"


def _message(error: ValidationError) -> str:
    value = json.dumps(error.instance, ensure_ascii=False, default=str)
    shown = value if len(value) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 1]}…"
    expected: Any = error.validator_value
    within: Any = error.instance
    match error.validator:
        case "required":
            missing = [name for name in expected if name not in within]
            return f"{', '.join(missing)} is missing"
        case "additionalProperties":
            known = cast("dict[str, Any]", error.schema).get("properties", {})
            unknown = [name for name in within if name not in known]
            return f"{', '.join(unknown)} is no field here; there are {', '.join(known)}"
        case "type":
            return f"is {shown}, but has to be of type {expected}"
        case "enum":
            return f"is {shown}, but has to be one of {', '.join(map(str, expected))}"
        case "const":
            return f"is {shown}, but has to be {json.dumps(expected)}"
        case "minItems" | "minLength":
            return f"is {shown}: empty"
    return f"is {shown}, but has to satisfy {error.validator} {expected}"
