"""Rejected records on the deployed template: counted, told, tried again, given up by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.e2e.stack import Stack

from penstock.adapters.control_table import ControlTable
from penstock_cli import rejects
from penstock_cli.sample_sources import serve
from penstock_cli.stack import Stack as Deployed

CATEGORY, JOB = "Rejects", "extract_orders"
TYPED = [
    {"name": "id", "type": "integer", "rules": ["not_null", "unique"]},
    {"name": "state", "rules": [{"rule": "in_set", "values": ["US", "CA"]}]},
]
MENDED = [TYPED[0], "state"]
FIRST = "id,state\n1,US\n2,Zürich\n3,Genève\n4\n5,CA\n"
SECOND = "id,state\n6,US\n3,CA\n"


@pytest.fixture
def deployed(stack: Stack) -> Deployed:
    return Deployed("penstock-local", stack.instance)


def describe(stack: Stack, url: str, columns: list[Any]) -> None:
    control = ControlTable(stack.client("dynamodb"), stack.output("ControlTable"))
    control.apply(
        {
            "JobName": JOB,
            "JobCategory": CATEGORY,
            "JobType": "python_shell",
            "Target": "{stack}-extract",
            "Arguments": {"source_url": f"{url}/orders.csv", "columns": columns},
            "TimeoutMinutes": 5,
        }
    )


def pointers(stack: Stack) -> list[dict[str, Any]]:
    """What the error queue holds of this category; other tests leave messages there, too."""
    sqs, queue = stack.client("sqs"), stack.output("ErrorQueueUrl")
    found: list[Any] = []
    while more := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=30
    ).get("Messages", []):
        found += more
    for message in found:
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    bodies = [json.loads(message["Body"]) for message in found]
    return [body for body in bodies if body.get("category") == CATEGORY]


def printed(show: Any, *arguments: Any, **named: Any) -> str:
    console = Console(file=io.StringIO(), width=80)
    show(console, *arguments, **named)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_rejects_are_counted_and_the_next_run_takes_them_in_when_the_row_is_mended(
    stack: Stack, deployed: Deployed, tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text(FIRST)
    with serve(tmp_path) as url:
        describe(stack, url, TYPED)
        first = stack.run(category=CATEGORY, logical_date="2026-11-20")
        assert first.view.verdict == "SUCCEEDED", first.digest
        job = first.job(JOB)
        assert (job.rows_read, job.rows_written, job.rows_rejected) == (5, 2, 3)
        assert f"{JOB}: 3 of 5 rejected: 2 in_set(state), 1 malformed" in first.digest
        (pointer,) = pointers(stack)
        assert (pointer["kind"], pointer["rows"]) == ("rejects", 3)
        listed = printed(rejects.list_rejects, deployed, CATEGORY)
        assert first.view.job_id in listed
        assert "3 open" in listed
        shown = printed(rejects.show_rejects, deployed, first.view.job_id, [], 20)
        assert '{"id":"2","state":"Zürich"}' in shown
        assert "1 value, but the header names 2" in shown

        describe(stack, url, MENDED)
        (tmp_path / "orders.csv").write_text(SECOND)
        second = stack.run(category=CATEGORY, logical_date="2026-11-21")
    assert second.view.verdict == "SUCCEEDED", second.digest
    job = second.job(JOB)
    # 2 new and 3 old: Zürich is taken in, Genève has a newer record, the short line is short still
    assert (job.rows_read, job.rows_written, job.rows_rejected) == (5, 3, 1)
    assert "3 of earlier runs were tried again, 1 of them replaced" in second.digest
    assert [body["job_id"] for body in pointers(stack)] == [second.view.job_id]
    listed = printed(rejects.list_rejects, deployed, CATEGORY)
    assert first.view.job_id not in listed
    assert "1 open" in listed
    shown = printed(rejects.show_rejects, deployed, first.view.job_id, [], 20)
    assert f"tried again by {second.view.job_id}" in " ".join(shown.split())

    rested = printed(rejects.retry_rejects, deployed, second.view.job_id, [JOB])
    assert "1 records are tried again" in " ".join(rested.split())
    reason = "the source confirmed it"
    printed(rejects.drop_rejects, deployed, second.view.job_id, [], reason, ask=False)
    assert "No rejected record is open" in printed(rejects.list_rejects, deployed, CATEGORY)
    shown = printed(rejects.show_rejects, deployed, second.view.job_id, [JOB], 20)
    assert "dropped by" in shown
    assert reason in " ".join(shown.split())
