"""Where a specification comes from: arguments of the job's row, a YAML or JSON file on S3, both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from penstock_job.errors import SpecificationError
from penstock_job.object_store import ObjectStore
from penstock_job.problems import require_known
from penstock_job.specification import KEYS, Specification, read_specification

LISTS = ("columns", "rules", "join", "nulls")
"""The arguments that come as JSON; the others are texts."""


def specification_of(
    stated: Mapping[str, str | None], file: str | None, store: ObjectStore
) -> Specification:
    """The specification in the arguments of the row and in the file that they name, if any.

    Raises SpecificationError, naming what is wrong and where.
    """
    given = {name: value for name, value in stated.items() if value is not None and value.strip()}
    document = {
        name: _json(value, name) if name in LISTS else value for name, value in given.items()
    }
    if not file:
        return read_specification(document)
    body = store.read(file)
    if body is None:
        raise SpecificationError(f"specification: {file} does not exist")
    from_file = parse(body.decode(errors="replace"), file)
    twice = sorted(set(document) & set(from_file))
    if twice:
        raise SpecificationError(f"{', '.join(twice)} is given by {file} and by the row as well")
    try:
        return read_specification({**document, **from_file})
    except SpecificationError as error:
        raise SpecificationError(f"{file}: {error}") from None


def parse(text: str, name: str) -> dict[str, Any]:
    """The document in a text of JSON or YAML. Raises SpecificationError where there is none."""
    document = _parsed(text, name)
    if not isinstance(document, dict):
        raise SpecificationError(f"{name} must be a map of {', '.join(KEYS)}")
    require_known(document, KEYS, name)
    return document


def _parsed(text: str, name: str) -> object:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise SpecificationError(f"{name} is not JSON: {error}") from None
    try:
        import yaml  # only here: whoever writes no YAML needs no PyYAML
    except ImportError:
        raise SpecificationError(
            f"{name} is YAML, for which this Glue job lacks PyYAML: write it as JSON, or add "
            "pyyaml to the job's --additional-python-modules"
        ) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecificationError(f"{name} is not YAML: {error}") from None


def read_names(text: str, what: str) -> list[str]:
    """A list of names: a JSON list, or one bare name."""
    names = _json(text, what) if text.lstrip().startswith("[") else [text.strip()]
    if not isinstance(names, list) or not names:
        raise SpecificationError(f"{what} must be a name or a list of names, not {text}")
    if not all(isinstance(name, str) and name for name in names):
        raise SpecificationError(f"{what} must be a name or a list of names, not {text}")
    return names


def _json(text: str, name: str) -> object:
    if name == "nulls" and not text.lstrip().startswith("["):
        return [text]
    try:
        return json.loads(text)
    except ValueError as error:
        raise SpecificationError(f"{name} is not JSON: {error}") from None
