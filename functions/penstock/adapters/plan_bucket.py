"""The plans of runs, and what jobs report of themselves, in S3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from penstock.domain.plan import document_key, plan_key, result_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from penstock.domain.job_record import JobKey
    from penstock.domain.plan_line import PlanDocument

_ABSENT: Final = frozenset({"NoSuchKey", "404"})
_EXISTS: Final = frozenset({"PreconditionFailed", "412"})
_LARGEST_RESULT: Final = 1_000_000


class PlanBucket:
    """The data bucket, as far as it holds what Penstock itself writes and reads of a run."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def plan(self, job_id: str) -> PlanDocument | None:
        """Return the plan of a run, if it has been stored."""
        content = self._read(document_key(job_id))
        return cast("PlanDocument", json.loads(content)) if content is not None else None

    def store(self, plan: PlanDocument) -> PlanDocument:
        """Store the plan unless the run has one; return the one that is stored from now on.

        The document is written only once, so two invocations for the same run agree on one plan.
        """
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=document_key(plan["job_id"]),
                Body=_json(plan),
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _EXISTS:
                raise
            plan = self.plan(plan["job_id"]) or plan
        return plan

    def store_lines(self, plan: PlanDocument) -> None:
        """Store what the map over the jobs reads; from one plan always the same."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=plan_key(plan["job_id"]),
            Body=b"".join(_json(line) + b"\n" for line in plan["lines"]),
            ContentType="application/jsonl",
        )

    def store_file(self, key: str, content: bytes) -> None:
        """Store a file of a run that only its jobs read."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content)

    def file(self, key: str) -> bytes | None:
        """Return a file of a run, if there is one."""
        return self._read(key)

    def result_file(self, key: JobKey) -> bytes | None:
        """Return what the job has reported of itself, if it has; a huge file only in part."""
        return self._read(result_key(*key), largest=_LARGEST_RESULT)

    def _read(self, key: str, largest: int | None = None) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        return answer["Body"].read(largest)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
