"""What `penstock rejects` prints at 80 columns, and what it changes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import typer
from rich.console import Console
from tests.unit.conftest import BUCKET, RUN_TABLE

from penstock.adapters.error_queue import ErrorQueue
from penstock.adapters.leases import Leases
from penstock.adapters.reject_items import RejectItems
from penstock.adapters.run_table import RunTable
from penstock.adapters.table_items import TableItems
from penstock.domain.job_record import JobKey
from penstock.domain.open_run import OpenRun
from penstock.domain.reject_batch import RejectBatch
from penstock.domain.table_report import TableReport
from penstock_cli import rejects
from penstock_cli.errors import CommandError

JOB_ID = "20261121T050002Z-7b0f7c1e-3f0a-4b6e-9d55-0c2f6f1f6a11"
PATH = f"s3://{BUCKET}/data/Daily/clean_us_cases/_rejects/job_id={JOB_ID}/attempt=1"
BATCH = RejectBatch(
    "Daily", "clean_us_cases", JOB_ID, 1, "2026-11-21", PATH, 1_200, 3,
    {"not_null(cases)": 1_201, "malformed": 2}, "2026-11-21T05:01:00.000Z",
)  # fmt: skip


class FakeStack:
    """The parts of a stack that the commands use, on AWS in memory."""

    def __init__(self, dynamodb: Any, s3: Any, queue: tuple[Any, str]) -> None:
        self.rejects = RejectItems(dynamodb, RUN_TABLE, lambda: 2_000_000_000)
        self.leases = Leases(dynamodb, RUN_TABLE, lambda: 2_000_000_000)
        self.tables = TableItems(dynamodb, RUN_TABLE, lambda: 2_000_000_000)
        self.run_table = RunTable(dynamodb, RUN_TABLE, lambda: 2_000_000_000)
        self.queue = ErrorQueue(*queue)
        self.sqs, self.url = queue
        caller = SimpleNamespace(get_caller_identity=lambda: {"Arn": "arn:aws:iam::1:user/ann"})
        self.clients = {"s3": s3, "sts": caller}

    def client(self, service: str) -> Any:
        return self.clients[service]

    def messages(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(QueueUrl=self.url, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


@pytest.fixture
def stack(dynamodb: Any, s3: Any, queue: tuple[Any, str]) -> Any:
    return FakeStack(dynamodb, s3, queue)


def printed(show: Any, *arguments: Any, **named: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    show(console, *arguments, **named)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_list_shows_whole_job_ids_at_80_columns(stack: Any) -> None:
    stack.rejects.record(BATCH)
    lines = printed(rejects.list_rejects, stack, "")
    assert lines[:5] == [
        "Daily",
        "job, run and rules                                    for         open resting",
        "clean_us_cases                                        2026-11-21 1,200       3",
        JOB_ID,
        "1,201 not_null(cases), 2 malformed",
    ]
    assert " ".join(lines[6:]).startswith("1,200 open: the next run of their job tries them. 3 res")


def test_an_empty_list_says_so(stack: Any) -> None:
    assert printed(rejects.list_rejects, stack, "Daily") == [
        "No rejected record is open or resting."
    ]


def test_records_are_shown_with_their_reason_and_no_more_than_asked_for(
    stack: Any, tmp_path: Any
) -> None:
    file = tmp_path / "rejects.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'us.csv' AS source, 5 AS line, NULL AS key, 'a,b' AS record, "
            "'malformed' AS rule, '2 values' AS reason, 1 AS attempt, "
            "TIMESTAMP '2026-11-21' AS first_seen, "
            f"'x' AS first_job_id FROM range(3)) TO '{file}' (FORMAT parquet)"
        )
    folder = PATH.removeprefix(f"s3://{BUCKET}/")
    stack.clients["s3"].upload_file(str(file), BUCKET, f"{folder}/part-0.parquet")
    listed = json.dumps({"rows": 3, "files": [f"{PATH}/part-0.parquet"]})
    stack.clients["s3"].put_object(Bucket=BUCKET, Key=f"{folder}/rejects.json", Body=listed)
    stack.rejects.record(replace(BATCH, open=3, resting=0, by_rule={"malformed": 3}))

    lines = printed(rejects.show_rejects, stack, JOB_ID, [], 2)
    assert lines[0] == "clean_us_cases for 2026-11-21: 3 rejected: 3 malformed"
    assert lines[3:5] == ["line 5        1 2 values", "                a,b"]
    assert "… and 1 more (--limit)" in lines
    with pytest.raises(CommandError, match="has rejected nothing in another"):
        printed(rejects.show_rejects, stack, JOB_ID, ["another"], 2)


def test_what_the_extract_of_a_table_has_rejected_is_shown_too(stack: Any) -> None:
    folder = f"data/extract/web/clicks/_rejects/job_id={JOB_ID}/attempt=1"
    path = f"s3://{BUCKET}/{folder}"
    entries = [
        {"file": "https://x/clicks.csv", "line": 3, "reason": "1 value, but the header names 3",
         "text": "2", "whole": True},
        {"file": "https://x/clicks.csv", "reason": "at is not a date", "record": {"at": "Möp"}},
    ]  # fmt: skip
    body = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in entries).encode()
    stack.clients["s3"].put_object(Bucket=BUCKET, Key=f"{folder}/rejects-00000.jsonl", Body=body)
    job = JobKey(JOB_ID, "extract_web", 1)
    gone = TableReport("web", "gone", "SUCCEEDED", rows=1, rejected=1, rejects=f"{path}/gone")
    for report in (
        TableReport("web", "clicks", "SUCCEEDED", rows=5, rejected=3, rejects=path),
        TableReport("web", "views", "SUCCEEDED", rows=5),
    ):
        stack.tables.record(job, report, "2026-11-21T05:01:00Z")

    for jobs in ([], ["extract_web"], ["web/clicks"]):
        assert printed(rejects.show_rejects, stack, JOB_ID, jobs, 2) == [
            "web/clicks: 3 rejected",
            path,
            "key or line         reason and record",
            "clicks.csv, line 3  1 value, but the header names 3",
            "                    2",
            "clicks.csv          at is not a date",
            '                    {"at": "Möp"}',
            "… and 1 more (--limit)",
            "",
        ]
    with pytest.raises(CommandError, match="has rejected nothing in views"):
        printed(rejects.show_rejects, stack, JOB_ID, ["views"], 2)
    stack.tables.record(job, gone, "2026-11-21T05:01:00Z")
    with pytest.raises(CommandError, match="gone cannot be read: nothing is there any more"):
        printed(rejects.show_rejects, stack, JOB_ID, ["web/gone"], 2)


def test_records_whose_files_are_gone_are_an_error_that_says_so(stack: Any) -> None:
    stack.rejects.record(BATCH)
    with pytest.raises(CommandError, match="cannot be read"):
        printed(rejects.show_rejects, stack, JOB_ID, [], 2)


def test_what_is_put_up_is_open_as_a_whole_and_the_next_run_is_told(stack: Any) -> None:
    stack.rejects.record(BATCH)
    printed(rejects.retry_rejects, stack, JOB_ID, [])
    (batch,) = stack.rejects.of_category("Daily")
    assert (batch.open, batch.resting, batch.take) == (1_203, 0, "all")
    assert [(body["kind"], body["rows"]) for body in stack.messages()] == [("rejects", 1_203)]


def test_nothing_is_changed_while_a_run_is_trying_them(stack: Any) -> None:
    stack.rejects.record(BATCH)
    stack.rejects.take(BATCH, "other")
    stack.leases.take(OpenRun("other", "Daily", "2026-11-22", "arn", "2026-11-22T05:00:00Z"), None)
    with pytest.raises(CommandError, match="run other is trying its rejects"):
        printed(rejects.retry_rejects, stack, JOB_ID, [])
    with pytest.raises(CommandError, match="run other is trying its rejects"):
        printed(rejects.drop_rejects, stack, JOB_ID, [], "", ask=False)
    assert any("being tried by other" in line for line in printed(rejects.list_rejects, stack, ""))


def test_dropping_asks_first_and_keeps_who_and_why(
    stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.rejects.record(BATCH)
    monkeypatch.setattr(typer, "confirm", lambda question: "1,203" not in question)
    with pytest.raises(typer.Exit):
        printed(rejects.drop_rejects, stack, JOB_ID, [], "", ask=True)
    assert len(stack.rejects.of_category("Daily")) == 1

    monkeypatch.setattr(typer, "confirm", lambda _: True)
    printed(rejects.drop_rejects, stack, JOB_ID, [], "only a test", ask=True)
    assert stack.rejects.of_category("Daily") == []
    ((batch, fate),) = stack.rejects.of_run(JOB_ID)
    assert batch.open == 1_200
    assert (fate["What"], fate["By"], fate["Reason"]) == (
        "DROPPED", "arn:aws:iam::1:user/ann", "only a test",
    )  # fmt: skip
    with pytest.raises(CommandError, match="is open or rests"):
        printed(rejects.drop_rejects, stack, JOB_ID, [], "", ask=False)
