"""One step of an extract in a process of its own, which kills itself at a moment that is named.

python -m tests.crash.step POINT REQUEST
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.crash.points import EXTRACT, LOAD, POINTS, SETTLE, kill

from penstock.adapters.table_items import TableItems
from penstock.domain.extracting import settle_tables
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import Outcome

SCRIPTS = Path(__file__).parents[2] / "glue" / "python_shell"
RUN_TABLE = "penstock-runs"
CATEGORY, DAY = "Extract_Shop", "2026-11-21"


def take(step: str, request: dict[str, Any]) -> None:
    """Do one step as AWS would have it done."""
    if step in (EXTRACT, LOAD):
        script = "extract_tables" if step == EXTRACT else "load"
        runpy.run_path(str(SCRIPTS / f"{script}.py"))["main"](request["argv"])
        return
    assert step == SETTLE
    job = JobRecord(
        request["job_id"], request["job_name"], "python_shell", CATEGORY, DAY,
        Outcome(request["outcome"]), attempt=request["attempt"],
    )  # fmt: skip
    content = request["result_file"]
    settle_tables(tables(), job, content and content.encode(), "2026-11-21T05:00:00.000Z")


def tables() -> TableItems:
    """The tables of extracts, and their watermarks."""
    return TableItems(boto3.client("dynamodb"), RUN_TABLE, lambda: 2_000_000_000)


if __name__ == "__main__":
    point = POINTS[int(sys.argv[1])]
    point.arm(pytest.MonkeyPatch(), kill)
    take(point.step, json.loads(sys.argv[2]))
