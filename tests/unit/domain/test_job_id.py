"""The job ID and the instants in it."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest

from penstock.domain.errors import InvalidRequestError
from penstock.domain.instant import seconds_between, written_of
from penstock.domain.job_id import job_id_of


def test_a_job_id_is_a_timestamp_in_utc_and_a_uuid() -> None:
    uuid = UUID("7b0f7c1e-3f0a-4b6e-9d55-0c2f6f1f6a11")
    expected = f"20261121T050002Z-{uuid}"
    assert job_id_of("2026-11-21T05:00:02.999Z", uuid) == expected
    assert job_id_of("2026-11-21T06:00:02+01:00", uuid) == expected
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f-]{36}", expected)


def test_job_ids_sort_by_time() -> None:
    early = job_id_of("2026-11-21T05:00:02Z", uuid4())
    assert early < job_id_of("2026-11-21T05:00:03Z", uuid4())


@pytest.mark.parametrize("text", ["", "now", "2026-11-21", "2026-11-21T05:00:00", 5])
def test_a_start_that_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        job_id_of(text, uuid4())


def test_instants_are_written_so_that_they_sort_as_text() -> None:
    assert written_of("2026-11-21T06:00:02.1239+01:00") == "2026-11-21T05:00:02.123Z"


def test_seconds_are_unknown_where_an_end_is_and_never_negative() -> None:
    start, end = "2026-11-21T05:00:00.000Z", "2026-11-21T05:00:01.500Z"
    assert seconds_between(start, end) == 1.5
    assert seconds_between(end, start) == 0.0
    assert seconds_between(None, end) is None
    assert seconds_between(start, None) is None
