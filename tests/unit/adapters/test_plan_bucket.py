"""Plans and result files in S3."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from tests.unit.conftest import BUCKET

from penstock.adapters.plan_bucket import PlanBucket
from penstock.domain.job_record import JobKey
from penstock.domain.plan_line import PlanDocument


@pytest.fixture
def bucket(s3: Any) -> PlanBucket:
    return PlanBucket(s3, BUCKET)


def plan(*names: str) -> PlanDocument:
    lines = [{"job_name": name} for name in names]
    return cast("PlanDocument", {"job_id": "run", "category": "Daily", "jobs": [], "lines": lines})


def body(s3: Any, key: str) -> bytes:
    return bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def test_a_plan_is_one_json_line_per_job_and_one_document(bucket: PlanBucket, s3: Any) -> None:
    assert bucket.plan("run") is None
    stored = bucket.store(plan("ä", "b"))
    bucket.store_lines(stored)
    assert body(s3, "runs/run/plan.jsonl").decode() == '{"job_name":"ä"}\n{"job_name":"b"}\n'
    assert json.loads(body(s3, "runs/run/plan.json")) == stored
    assert bucket.plan("run") == stored


def test_the_first_plan_of_a_run_is_its_only_plan(bucket: PlanBucket, s3: Any) -> None:
    first = bucket.store(plan("a"))
    assert bucket.store(plan("b")) == first
    bucket.store_lines(first)
    assert body(s3, "runs/run/plan.jsonl") == b'{"job_name":"a"}\n'


def test_an_empty_plan_is_an_empty_file(bucket: PlanBucket, s3: Any) -> None:
    bucket.store_lines(bucket.store(plan()))
    assert body(s3, "runs/run/plan.jsonl") == b""


def test_a_result_file_is_found_where_the_job_was_told_to_put_it(
    bucket: PlanBucket, s3: Any
) -> None:
    key = JobKey("run", "load", 2)
    assert bucket.result_file(key) is None
    s3.put_object(Bucket=BUCKET, Key="runs/run/jobs/load/2/result.json", Body=b"{}")
    assert bucket.result_file(key) == b"{}"


def test_a_huge_result_file_is_not_read_to_its_end(bucket: PlanBucket, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="runs/run/jobs/load/1/result.json", Body=b"x" * 2_000_000)
    assert len(bucket.result_file(JobKey("run", "load", 1)) or b"") == 1_000_000
