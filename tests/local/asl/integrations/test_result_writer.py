"""Results of a Map Run as files in S3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.local.asl.integrations.calls import REGION, run
from tests.local.asl.integrations.conftest import Platform

from penstock_local.asl import result_writer
from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations import Caller, Integrations
from penstock_local.asl.result_writer import PUT_OBJECT, ChildResult, as_output, write_results

BUCKET = "writer-bucket"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:m/label"
MAP_RUN = "arn:aws:states:eu-central-1:123456789012:mapRun:m/label:11111111-2222"
NONE = object()


def child(name: str, output: Any, **more: Any) -> ChildResult:
    facts: dict[str, Any] = {
        "status": "SUCCEEDED",
        "input": '{"n": 1}',
        "state_machine_arn": MACHINE,
        "execution_arn": f"arn:execution:{name}",
        "name": name,
        "output": None if output is NONE else json.dumps(output),
        "started": 1_795_237_200.25,
        "stopped": 1_795_237_201.0,
    }
    return ChildResult(**{**facts, **more})


def failed(name: str, status: str = "FAILED") -> ChildResult:
    return child(name, NONE, status=status, error="Broken", cause="because é")


def pending() -> ChildResult:
    return ChildResult(status="PENDING", input='{"n": 2}', state_machine_arn=MACHINE)


class Writer:
    """Writes results through the real S3 and reads them back."""

    def __init__(self, s3: Any, integrations: Any, caller: Caller) -> None:
        self.s3, self._integrations, self._caller = s3, integrations, caller

    def write(self, *children: ChildResult, prefix: str | None = "runs/1", **config: Any) -> Any:
        arguments = {"Bucket": BUCKET} if prefix is None else {"Bucket": BUCKET, "Prefix": prefix}
        writer: dict[str, Any] = {"Resource": PUT_OBJECT, "Arguments": arguments}
        if config:
            writer["WriterConfig"] = config
        sink = self._integrations.s3
        return run(write_results(sink, self._caller, writer, MAP_RUN, children))

    def text(self, key: str) -> str:
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body.decode()

    def manifest(self, result: Any) -> Any:
        return json.loads(self.text(result["ResultWriterDetails"]["Key"]))

    def file(self, result: Any, name: str) -> str:
        (entry,) = self.manifest(result)["ResultFiles"][name]
        text = self.text(entry["Key"])
        assert entry["Size"] == len(text.encode())
        return text


@pytest.fixture(scope="module")
def writer(platform: Platform, integrations: Integrations) -> Writer:
    s3 = platform.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    caller = Caller(platform.role("writer", "s3:PutObject"), REGION)
    return Writer(s3, integrations, caller)


def test_the_result_says_where_the_manifest_lies(writer: Writer) -> None:
    assert writer.write(child("a", 1)) == {
        "MapRunArn": MAP_RUN,
        "ResultWriterDetails": {"Bucket": BUCKET, "Key": "runs/1/11111111-2222/manifest.json"},
    }


@pytest.mark.parametrize(
    ("prefix", "folder"),
    [("p", "p/"), ("p/q/", "p/q/"), ("", ""), ("/", ""), (None, "")],
)
def test_the_prefix_is_a_folder(writer: Writer, prefix: str, folder: str) -> None:
    result = writer.write(child("a", 1), prefix=prefix)
    key = result["ResultWriterDetails"]["Key"]
    assert key == f"{folder}11111111-2222/manifest.json"


def test_children_are_told_of_by_how_they_ended(writer: Writer) -> None:
    children = [child("a", 1), failed("b"), failed("c", "TIMED_OUT"), failed("d", "ABORTED")]
    result = writer.write(*children, pending())
    manifest = writer.manifest(result)
    assert (manifest["DestinationBucket"], manifest["MapRunArn"]) == (BUCKET, MAP_RUN)
    folder = "runs/1/11111111-2222/"
    assert {
        name: [file["Key"] for file in files] for name, files in manifest["ResultFiles"].items()
    } == {
        "FAILED": [f"{folder}FAILED_0.json"],
        "PENDING": [f"{folder}PENDING_0.json"],
        "SUCCEEDED": [f"{folder}SUCCEEDED_0.json"],
    }
    statuses = [told["Status"] for told in json.loads(writer.file(result, "FAILED"))]
    assert statuses == ["FAILED", "TIMED_OUT", "ABORTED"]


def test_what_did_not_happen_has_no_file(writer: Writer) -> None:
    files = writer.manifest(writer.write(child("a", 1)))["ResultFiles"]
    assert (files["FAILED"], files["PENDING"], len(files["SUCCEEDED"])) == ([], [], 1)
    assert writer.manifest(writer.write())["ResultFiles"] == {
        "FAILED": [],
        "PENDING": [],
        "SUCCEEDED": [],
    }


def test_a_child_that_succeeded_is_told_of_in_full(writer: Writer) -> None:
    (told,) = json.loads(writer.file(writer.write(child("a", {"x": "é"})), "SUCCEEDED"))
    assert told == {
        "ExecutionArn": "arn:execution:a",
        "Input": '{"n": 1}',
        "InputDetails": {"Included": True},
        "Name": "a",
        "Output": json.dumps({"x": "é"}),
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "StartDate": "2026-11-21T05:00:00.250Z",
        "StateMachineArn": MACHINE,
        "Status": "SUCCEEDED",
        "StopDate": "2026-11-21T05:00:01.000Z",
    }
    assert list(told) == sorted(told)


def test_a_child_that_failed_is_told_of_with_error_and_cause(writer: Writer) -> None:
    (told,) = json.loads(writer.file(writer.write(failed("a")), "FAILED"))
    assert (told["Error"], told["Cause"], told["Status"]) == ("Broken", "because é", "FAILED")
    assert told["RedriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
    assert "Output" not in told


def test_a_child_that_never_started_is_told_of_with_its_input(writer: Writer) -> None:
    (told,) = json.loads(writer.file(writer.write(pending()), "PENDING"))
    assert told == {
        "Input": '{"n": 2}',
        "InputDetails": {"Included": True},
        "StateMachineArn": MACHINE,
        "Status": "PENDING",
    }


CHILDREN = [child("a", [1, {"x": "é"}]), child("b", {"y": 2}), child("c", []), failed("d")]


def test_compact_writes_the_outputs_alone(writer: Writer) -> None:
    result = writer.write(*CHILDREN, Transformation="COMPACT", OutputType="JSON")
    assert json.loads(writer.file(result, "SUCCEEDED")) == [[1, {"x": "é"}], {"y": 2}, []]


def test_flatten_writes_the_members_of_outputs_that_are_arrays(writer: Writer) -> None:
    result = writer.write(*CHILDREN, Transformation="FLATTEN", OutputType="JSON")
    assert json.loads(writer.file(result, "SUCCEEDED")) == [1, {"x": "é"}, {"y": 2}]


@pytest.mark.parametrize("transformation", ["COMPACT", "FLATTEN", "NONE"])
def test_failed_children_are_told_of_in_full_whatever_the_transformation(
    writer: Writer, transformation: str
) -> None:
    result = writer.write(*CHILDREN, Transformation=transformation, OutputType="JSON")
    assert json.loads(writer.file(result, "FAILED"))[0]["Name"] == "d"


def test_json_lines_have_a_line_for_each_result(writer: Writer) -> None:
    result = writer.write(*CHILDREN, Transformation="FLATTEN", OutputType="JSONL")
    assert writer.file(result, "SUCCEEDED") == '1\n{"x":"é"}\n{"y":2}\n'
    files = writer.manifest(result)["ResultFiles"]
    assert files["SUCCEEDED"][0]["Key"].endswith("/SUCCEEDED_0.jsonl")
    assert files["FAILED"][0]["Key"].endswith("/FAILED_0.jsonl")
    lines = writer.file(writer.write(*CHILDREN, OutputType="JSONL"), "SUCCEEDED").splitlines()
    assert [json.loads(line)["Name"] for line in lines] == ["a", "b", "c"]


def test_large_results_are_split_into_files(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_writer, "LARGEST_FILE", 25)
    children = [child(str(number), "x" * 8) for number in range(5)]
    result = writer.write(*children, Transformation="COMPACT", OutputType="JSON")
    files = writer.manifest(result)["ResultFiles"]["SUCCEEDED"]
    assert [file["Key"].rpartition("/")[2] for file in files] == [
        "SUCCEEDED_0.json",
        "SUCCEEDED_1.json",
        "SUCCEEDED_2.json",
    ]
    parts = [json.loads(writer.text(file["Key"])) for file in files]
    assert parts == [["x" * 8] * 2, ["x" * 8] * 2, ["x" * 8]]


def test_a_bucket_that_is_not_there_fails_the_writer(writer: Writer) -> None:
    arguments = {"Bucket": "writer-missing", "Prefix": "p"}
    field = {"Resource": PUT_OBJECT, "Arguments": arguments}
    with pytest.raises(StateError) as raised:
        run(write_results(writer._integrations.s3, writer._caller, field, MAP_RUN, CHILDREN))
    assert raised.value.error == "States.ResultWriterFailed"
    assert (raised.value.cause or "").startswith(
        "The specified bucket does not exist (Service: Amazon S3; Status Code: 404;"
    )


def test_a_missing_permission_fails_the_writer(
    platform: Platform, integrations: Integrations, writer: Writer
) -> None:
    caller = Caller(platform.role("writer-idle"), REGION)
    with pytest.raises(StateError) as raised:
        Writer(writer.s3, integrations, caller).write(child("a", 1))
    assert raised.value.error == "States.ResultWriterFailed"
    assert "is not authorized to perform: s3:PutObject" in (raised.value.cause or "")


def test_a_writer_without_a_bucket_shapes_the_output_of_the_state() -> None:
    assert as_output(CHILDREN, {"Transformation": "COMPACT"}) == [[1, {"x": "é"}], {"y": 2}, []]
    flat = as_output(CHILDREN, {"Transformation": "FLATTEN", "OutputType": "JSON"})
    assert flat == [1, {"x": "é"}, {"y": 2}]
    told = as_output(CHILDREN, {"Transformation": "NONE"})
    assert [one["Name"] for one in told] == ["a", "b", "c"]
