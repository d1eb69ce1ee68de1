"""What Map states may have: processor, items, reader, batcher, writer, label."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.diagnosed import findings, of_state
from tests.local.asl.world import one

INNER = one({"Type": "Pass"}, name="Inner")
CONFIG = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
INLINE = {"Type": "Map", "Items": "{% $states.input %}", "ItemProcessor": INNER}
DISTRIBUTED = {**INLINE, "ItemProcessor": {**INNER, "ProcessorConfig": CONFIG}}
GET = {"Resource": "arn:aws:states:::s3:getObject", "Arguments": {"Bucket": "b", "Key": "k"}}
PUT = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "b"}}


def of_part(field: str, value: Any) -> list[str]:
    """What is found wrong with a part of a Distributed Map, its location from there on."""
    state = {**DISTRIBUTED, field: value}
    if field == "ItemReader":
        del state["Items"]
    return [line.replace(" at /States/Only/", " at ") for line in of_state(state)]


# Processor


@pytest.mark.parametrize("config", [{}, {"Mode": "INLINE"}, CONFIG])
def test_a_map_runs_inline_or_distributed(config: dict[str, str]) -> None:
    assert of_part("ItemProcessor", {**INNER, "ProcessorConfig": config}) == []


@pytest.mark.parametrize(
    ("config", "finding"),
    [
        (
            {"Mode": "REMOTE"},
            "Value should be one of the following: [INLINE, DISTRIBUTED] at /Mode",
        ),
        ({"Mode": "DISTRIBUTED"}, "These fields are required: [ExecutionType] at "),
        (
            {"Mode": "DISTRIBUTED", "ExecutionType": "QUICK"},
            "Value should be one of the following: [STANDARD, EXPRESS] at /ExecutionType",
        ),
        ({"ExecutionType": "STANDARD"}, "Field 'ExecutionType' is not supported at "),
        ({"Speed": 1}, "Field 'Speed' is not supported at "),
        ("INLINE", "Expected value of type [OBJECT] at "),
    ],
)
def test_a_processor_config_keeps_to_its_values(config: Any, finding: str) -> None:
    found = of_part("ItemProcessor", {**INNER, "ProcessorConfig": config})
    message, _, rest = finding.partition(" at ")
    assert f"{message} at ItemProcessor/ProcessorConfig{rest}" in found


def test_a_processor_has_the_fields_of_a_scope() -> None:
    assert of_part("ItemProcessor", {**INNER, "Comment": "c", "TimeoutSeconds": 1}) == [
        "Field 'TimeoutSeconds' is not supported at ItemProcessor"
    ]
    assert "Expected value of type [OBJECT] at ItemProcessor" in of_part("ItemProcessor", [])


def test_a_map_has_one_processor() -> None:
    fields = "[ItemProcessor, Iterator] at /States/Only"
    none = {"Type": "Map", "Items": []}
    both = {**INLINE, "Iterator": INNER}
    assert f"This object should have only one of the following fields: {fields}" in of_state(none)
    assert f"There should only be one of the following fields: {fields}" in of_state(both)


def test_an_express_machine_has_no_distributed_map() -> None:
    assert of_state(INLINE, "EXPRESS") == []
    (finding,) = of_state(DISTRIBUTED, "EXPRESS")
    assert finding == (
        "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
        " at /States/Only/ItemProcessor/ProcessorConfig/Mode"
    )


def test_the_children_of_a_map_may_be_express() -> None:
    sync = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync"}
    inner = one({**sync, "Arguments": {"JobName": "j"}}, name="Inner")
    for kind, faults in (("STANDARD", 0), ("EXPRESS", 1)):
        config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
        assert len(of_part("ItemProcessor", {**inner, "ProcessorConfig": config})) == faults


def test_inside_express_children_nothing_is_distributed() -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    inner = one({**DISTRIBUTED, "ItemProcessor": {**INNER, "ProcessorConfig": CONFIG}}, name="Deep")
    found = of_part("ItemProcessor", {**inner, "ProcessorConfig": config})
    assert any("is not supported inside 'EXPRESS' state machines" in line for line in found)


# Items and limits


@pytest.mark.parametrize("items", [[], [1, "{% 2 %}"], "{% $x %}"])
def test_items_are_a_list_or_an_expression(items: Any) -> None:
    assert of_state({**INLINE, "Items": items}) == []


@pytest.mark.parametrize("items", ["x", {}, 1])
def test_items_are_nothing_else(items: Any) -> None:
    found = of_state({**INLINE, "Items": items})
    assert found == ["Expected value of type [ARRAY] at /States/Only/Items"]


def test_a_map_takes_its_items_from_one_place() -> None:
    found = of_state({**DISTRIBUTED, "ItemReader": GET})
    assert found == [
        "There should only be one of the following fields: [Items, ItemReader] at /States/Only"
    ]


@pytest.mark.parametrize(
    ("field", "value", "finding"),
    [
        ("MaxConcurrency", -1, "Minimum value is 0"),
        ("MaxConcurrency", 1.5, "Expected value of type Integer"),
        ("ToleratedFailureCount", -1, "Minimum value is 0"),
        ("ToleratedFailurePercentage", 101, "Maximum value is 100"),
        ("ToleratedFailurePercentage", -1, "Minimum value is 0"),
        ("ToleratedFailurePercentage", "10", "Expected value of type Number"),
        ("ItemSelector", [], "Expected value of type [OBJECT]"),
        ("Label", 1, "Expected value of type [STRING]"),
    ],
)
def test_the_limits_of_a_map_have_their_ranges(field: str, value: Any, finding: str) -> None:
    assert of_part(field, value) == [f"{finding} at {field}"]


@pytest.mark.parametrize(
    "field", ["MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"]
)
def test_the_limits_of_a_map_may_be_expressions(field: str) -> None:
    assert of_part(field, "{% $states.input.limit %}") == []
    assert of_part("ToleratedFailurePercentage", 12.5) == []


# Label


@pytest.mark.parametrize("label", ["jobs", "x" * 40, "a-b_c.d"])
def test_a_label_is_a_short_name(label: str) -> None:
    assert of_part("Label", label) == []


def test_a_label_has_forty_characters_at_most() -> None:
    (finding,) = of_part("Label", "x" * 41)
    assert finding.startswith(f"INVALID_LABEL_NAME: Invalid Label name: {'x' * 41} exceeds the 40-")


@pytest.mark.parametrize("label", ["a b", "a*", "a/b", "{x}", "a:b", "tab\t", ""])
def test_a_label_has_no_special_characters(label: str) -> None:
    (finding,) = of_part("Label", label)
    assert finding == f"INVALID_LABEL_NAME: Invalid Label name: {label} at Label"


def test_a_label_occurs_once_in_the_whole_machine() -> None:
    first = {**DISTRIBUTED, "Label": "jobs", "Next": "Second"}
    other = {**one({"Type": "Pass"}, name="Other"), "ProcessorConfig": CONFIG}
    second = {**DISTRIBUTED, "Label": "jobs", "ItemProcessor": other, "End": True}
    found = findings({"StartAt": "First", "States": {"First": first, "Second": second}})
    assert found == ["DUPLICATE_LABEL_NAME: Duplicate Label name: jobs at /States/Second/Label"]


# Reader, batcher, writer


@pytest.mark.parametrize(
    "config",
    [
        {"InputType": "JSON"},
        {"InputType": "JSON", "ItemsPointer": "/a/b"},
        {"InputType": "JSONL", "MaxItems": "{% 5 %}"},
        {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "TAB"},
        {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "b"]},
        {"InputType": "PARQUET", "MaxItems": 5},
        {"InputType": "MANIFEST", "ManifestType": "ATHENA_DATA", "CSVHeaderLocation": "FIRST_ROW"},
    ],
)
def test_a_reader_reads_any_of_these(config: dict[str, Any]) -> None:
    assert of_part("ItemReader", {**GET, "ReaderConfig": config}) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"Resource": None}, "Expected value of type [STRING] at ItemReader/Resource"),
        (
            {"Resource": "arn:aws:states:::s3:putObject"},
            "The field 'Resource' does not match any of the allowed values at ItemReader/Resource",
        ),
        ({"Source": 1}, "Field 'Source' is not supported at ItemReader"),
        (
            {"Parameters": {}},
            (
                "The QueryLanguage is set to 'JSONata', but field 'Parameters' is only supported"
                " for the 'JSONPath' QueryLanguage at ItemReader"
            ),
        ),
        ({"Arguments": []}, "Expected value of type [OBJECT] at ItemReader/Arguments"),
        (
            {"ReaderConfig": {"InputType": "XML"}},
            (
                "Value should be one of the following: [CSV, JSON, JSONL, PARQUET, MANIFEST] at"
                " ItemReader/ReaderConfig/InputType"
            ),
        ),
        (
            {"ReaderConfig": {"InputType": "CSV"}},
            "The field 'CSVHeaderLocation' is required at ItemReader/ReaderConfig",
        ),
        (
            {"ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}},
            "These fields are required: [CSVHeaders] at ItemReader/ReaderConfig",
        ),
        (
            {"ReaderConfig": {"InputType": "JSON", "CSVDelimiter": "TAB"}},
            "Field 'CSVDelimiter' is not supported at ItemReader/ReaderConfig",
        ),
        (
            {"ReaderConfig": {"InputType": "JSON", "MaxItems": 1.5}},
            "Expected value of type Integer at ItemReader/ReaderConfig/MaxItems",
        ),
        (
            {"ReaderConfig": {"InputType": "JSON", "MaxItems": 100_000_001}},
            "Maximum value is 100000000 at ItemReader/ReaderConfig/MaxItems",
        ),
    ],
)
def test_a_reader_keeps_to_its_fields(change: dict[str, Any], finding: str) -> None:
    assert finding in of_part("ItemReader", {**GET, **change})


def test_a_reader_needs_a_resource() -> None:
    found = of_part("ItemReader", {"Arguments": {}})
    assert "These fields are required: [Resource] at ItemReader" in found


def test_a_batcher_has_a_limit() -> None:
    assert of_part("ItemBatcher", {"MaxItemsPerBatch": 10, "BatchInput": {"a": 1}}) == []
    assert of_part("ItemBatcher", {"MaxInputBytesPerBatch": "{% 1000 %}"}) == []
    fields = "[MaxItemsPerBatch, MaxInputBytesPerBatch] at ItemBatcher"
    assert of_part("ItemBatcher", {}) == [
        f"This object should have only one of the following fields: {fields}"
    ]


@pytest.mark.parametrize(
    ("batcher", "finding"),
    [
        ({"MaxItemsPerBatch": 0}, "Minimum value is 1 at ItemBatcher/MaxItemsPerBatch"),
        (
            {"MaxInputBytesPerBatch": 262_145},
            "Maximum value is 262144 at ItemBatcher/MaxInputBytesPerBatch",
        ),
        ({"MaxItemsPerBatch": 1, "Size": 1}, "Field 'Size' is not supported at ItemBatcher"),
        (
            {"MaxItemsPerBatch": 1, "BatchInput": []},
            "Expected value of type [OBJECT] at ItemBatcher/BatchInput",
        ),
    ],
)
def test_a_batcher_keeps_to_its_fields(batcher: dict[str, Any], finding: str) -> None:
    assert of_part("ItemBatcher", batcher) == [finding]


@pytest.mark.parametrize(
    "writer",
    [
        PUT,
        {**PUT, "WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"}},
        {"WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}},
    ],
)
def test_a_writer_writes_or_only_transforms(writer: dict[str, Any]) -> None:
    assert of_part("ResultWriter", writer) == []


@pytest.mark.parametrize(
    ("writer", "finding"),
    [
        ({}, "Value cannot be empty at ResultWriter"),
        (
            {"Resource": PUT["Resource"]},
            "These fields are required: [Arguments] at ResultWriter",
        ),
        (
            {**PUT, "Resource": GET["Resource"]},
            (
                "The field 'Resource' does not match any of the allowed values at"
                " ResultWriter/Resource"
            ),
        ),
        (
            {**PUT, "WriterConfig": {"OutputType": "JSON"}},
            "These fields are required: [Transformation] at ResultWriter/WriterConfig",
        ),
        (
            {**PUT, "WriterConfig": {"Transformation": "ZIP", "OutputType": "JSON"}},
            (
                "Value should be one of the following: [NONE, COMPACT, FLATTEN] at"
                " ResultWriter/WriterConfig/Transformation"
            ),
        ),
        ({**PUT, "Target": 1}, "Field 'Target' is not supported at ResultWriter"),
    ],
)
def test_a_writer_keeps_to_its_fields(writer: dict[str, Any], finding: str) -> None:
    assert finding in of_part("ResultWriter", writer)


@pytest.mark.parametrize(
    ("field", "value"),
    [("ItemReader", GET), ("ItemBatcher", {"MaxItemsPerBatch": 1}), ("ResultWriter", PUT)],
)
def test_an_inline_map_has_none_of_them(field: str, value: Any) -> None:
    state = {**INLINE, field: value}
    if field == "ItemReader":
        del state["Items"]
    assert of_state(state) == [f"Field '{field}' is not supported at /States/Only"]
