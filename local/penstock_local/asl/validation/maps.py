"""The form of Map states: processor, reader, batcher and writer."""

from __future__ import annotations

import math
import re
from typing import Any

from penstock_local.asl.definition import is_distributed
from penstock_local.asl.validation.findings import Findings
from penstock_local.asl.validation.kinds import (
    LIST,
    OBJECT,
    OBJECT_OR_EXPRESSION,
    TEXT,
    Kind,
    Number,
)

LONGEST_LABEL = 40

_PROCESSOR_FIELDS = {"ProcessorConfig", "StartAt", "States", "Comment", "QueryLanguage"}
_LABEL = re.compile(r"[^\s?*<>{}\[\]\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]+")
_READERS = re.compile(r"arn:[^:]+:states:::s3:(getObject|listObjectsV2)")
_WRITERS = re.compile(r"arn:[^:]+:states:::s3:putObject")

_INPUT_TYPES = ("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")
_READER_CONFIG: dict[str, Kind | Number] = {
    "MaxItems": Number(-math.inf, 100_000_000),  # a negative one is found when the map runs
    "CSVHeaders": LIST,
    "ItemsPointer": TEXT,
}
_READER_CHOICES = {
    "InputType": _INPUT_TYPES,
    "CSVHeaderLocation": ("FIRST_ROW", "GIVEN"),
    "CSVDelimiter": ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
    "ManifestType": ("ATHENA_DATA", "S3_INVENTORY"),
    "Transformation": ("NONE", "LOAD_AND_FLATTEN"),
}
_CSV_ONLY = ("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter")
_BATCHER: dict[str, Kind | Number] = {
    "MaxItemsPerBatch": Number(1),
    "MaxInputBytesPerBatch": Number(1, 262_144),
    "BatchInput": OBJECT_OR_EXPRESSION,
}
_WRITER_CHOICES = {
    "Transformation": ("NONE", "COMPACT", "FLATTEN"),
    "OutputType": ("JSON", "JSONL"),
}


def check_map(state: dict[str, Any], location: str, machine_type: str, findings: Findings) -> None:
    """Check what only Map states have."""
    if findings.only_one_of(state, ("ItemProcessor", "Iterator"), location):
        _check_processor(state, location, machine_type, findings)
    if "Items" in state and "ItemReader" in state:
        findings.only_one_of(state, ("Items", "ItemReader"), location)
    if isinstance(state.get("Label"), str):
        _check_label(state["Label"], f"{location}/Label", findings)
    _check_parts(state, location, findings)


def _check_parts(state: dict[str, Any], location: str, findings: Findings) -> None:
    """Check what reads, batches and writes items, which only a Distributed Map has."""
    for field, check in (
        ("ItemReader", _check_reader),
        ("ItemBatcher", _check_batcher),
        ("ResultWriter", _check_writer),
    ):
        if field in state and not is_distributed(state):
            findings.unsupported(field, location)
        elif isinstance(state.get(field), dict):
            check(state[field], f"{location}/{field}", findings)


def _check_processor(
    state: dict[str, Any], location: str, machine_type: str, findings: Findings
) -> None:
    name = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
    processor, where = state[name], f"{location}/{name}"
    if not isinstance(processor, dict):
        return
    for field in processor:
        if field not in _PROCESSOR_FIELDS:
            findings.unsupported(field, where)
    if "ProcessorConfig" in processor:
        _check_config(
            processor["ProcessorConfig"], f"{where}/ProcessorConfig", machine_type, findings
        )


def _check_config(config: Any, location: str, machine_type: str, findings: Findings) -> None:
    if not isinstance(config, dict):
        OBJECT.check(config, location, findings)
        return
    for field in config:
        if field not in ("Mode", "ExecutionType"):
            findings.unsupported(field, location)
    mode = config.get("Mode", "INLINE")
    if not findings.one_of(mode, ("INLINE", "DISTRIBUTED"), f"{location}/Mode"):
        return
    if mode == "DISTRIBUTED":
        _check_distributed(config, location, machine_type, findings)
    elif "ExecutionType" in config:
        findings.unsupported("ExecutionType", location)


def _check_distributed(
    config: dict[str, Any], location: str, machine_type: str, findings: Findings
) -> None:
    if machine_type == "EXPRESS":
        findings.schema(
            "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state"
            " machines",
            f"{location}/Mode",
        )
    if "ExecutionType" not in config:
        findings.required(["ExecutionType"], location)
    else:
        kind = config["ExecutionType"]
        findings.one_of(kind, ("STANDARD", "EXPRESS"), f"{location}/ExecutionType")


def _check_label(label: str, location: str, findings: Findings) -> None:
    if len(label) > LONGEST_LABEL:
        findings.error(
            "INVALID_LABEL_NAME",
            f"Invalid Label name: {label} exceeds the {LONGEST_LABEL}-character limit allowed by"
            " the service",
            location,
        )
    elif not _LABEL.fullmatch(label):
        findings.error("INVALID_LABEL_NAME", f"Invalid Label name: {label}", location)


def _check_reader(reader: dict[str, Any], location: str, findings: Findings) -> None:
    _check_members(reader, ("Resource", "Arguments", "ReaderConfig"), location, findings)
    findings.required((name for name in ("Resource",) if name not in reader), location)
    _check_resource(reader, _READERS, location, findings)
    _check_kinds(
        reader, {"Arguments": OBJECT_OR_EXPRESSION, "ReaderConfig": OBJECT}, location, findings
    )
    if isinstance(reader.get("ReaderConfig"), dict):
        _check_reader_config(reader["ReaderConfig"], f"{location}/ReaderConfig", findings)


def _check_reader_config(config: dict[str, Any], location: str, findings: Findings) -> None:
    _check_members(config, (*_READER_CHOICES, *_READER_CONFIG), location, findings)
    _check_choices(config, _READER_CHOICES, location, findings)
    _check_kinds(config, _READER_CONFIG, location, findings)
    is_csv = config.get("InputType") == "CSV"
    if is_csv and "CSVHeaderLocation" not in config:
        findings.schema("The field 'CSVHeaderLocation' is required", location)
    if not is_csv and config.get("InputType") != "MANIFEST":
        for field in _CSV_ONLY:
            if field in config:
                findings.unsupported(field, location)
    if config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        findings.required(["CSVHeaders"], location)


def _check_batcher(batcher: dict[str, Any], location: str, findings: Findings) -> None:
    _check_members(batcher, tuple(_BATCHER), location, findings)
    _check_kinds(batcher, _BATCHER, location, findings)
    limits = ("MaxItemsPerBatch", "MaxInputBytesPerBatch")
    if not any(limit in batcher for limit in limits):
        findings.only_one_of(batcher, limits, location)


def _check_writer(writer: dict[str, Any], location: str, findings: Findings) -> None:
    _check_members(writer, ("Resource", "Arguments", "WriterConfig"), location, findings)
    if not writer:
        findings.schema("Value cannot be empty", location)
    if "Resource" in writer and "Arguments" not in writer:
        findings.required(["Arguments"], location)
    _check_resource(writer, _WRITERS, location, findings)
    _check_kinds(
        writer, {"Arguments": OBJECT_OR_EXPRESSION, "WriterConfig": OBJECT}, location, findings
    )
    config, where = writer.get("WriterConfig"), f"{location}/WriterConfig"
    if isinstance(config, dict):
        _check_members(config, tuple(_WRITER_CHOICES), where, findings)
        findings.required((name for name in _WRITER_CHOICES if name not in config), where)
        _check_choices(config, _WRITER_CHOICES, where, findings)


def _check_members(
    value: dict[str, Any], known: tuple[str, ...], location: str, findings: Findings
) -> None:
    for field in value:
        if field == "Parameters":
            findings.schema(
                "The QueryLanguage is set to 'JSONata', but field 'Parameters' is only supported"
                " for the 'JSONPath' QueryLanguage",
                location,
            )
        elif field not in known:
            findings.unsupported(field, location)


def _check_resource(
    value: dict[str, Any], known: re.Pattern[str], location: str, findings: Findings
) -> None:
    if "Resource" not in value:
        return
    resource, where = value["Resource"], f"{location}/Resource"
    TEXT.check(resource, where, findings)
    if isinstance(resource, str) and not known.fullmatch(resource):
        findings.schema("The field 'Resource' does not match any of the allowed values", where)


def _check_kinds(
    value: dict[str, Any], kinds: dict[str, Any], location: str, findings: Findings
) -> None:
    for field, kind in kinds.items():
        if field in value:
            kind.check(value[field], f"{location}/{field}", findings)


def _check_choices(
    value: dict[str, Any],
    choices: dict[str, tuple[str, ...]],
    location: str,
    findings: Findings,
) -> None:
    for field, allowed in choices.items():
        if field in value:
            findings.one_of(value[field], allowed, f"{location}/{field}")
