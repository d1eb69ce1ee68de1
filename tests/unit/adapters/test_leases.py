"""Of two runs for one day, one works; of one scheduled start, one run comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.conftest import RUN_TABLE

from penstock.adapters.leases import Leases
from penstock.domain.open_run import OpenRun

RUN = OpenRun("run1", "Daily", "2026-11-21", "arn:run1", "2026-11-21T05:00:00.000Z")
OTHER = replace(RUN, job_id="run2", execution_arn="arn:run2", started_at="2026-11-21T05:00:01.000Z")


@pytest.fixture
def leases(dynamodb: Any) -> Leases:
    return Leases(dynamodb, RUN_TABLE, lambda: 2_000_000_000)


def test_of_two_runs_for_one_day_the_second_hears_of_the_first(leases: Leases) -> None:
    assert leases.take(RUN, None) is None
    assert leases.take(OTHER, None) == "run1"
    assert leases.open_runs() == [RUN]


def test_a_run_that_asks_again_has_its_lease(leases: Leases) -> None:
    assert leases.take(RUN, "2026-11-21T05:00:00Z") is None
    assert leases.take(RUN, "2026-11-21T05:00:00Z") is None


def test_runs_for_other_days_and_categories_do_not_meet(leases: Leases) -> None:
    assert leases.take(RUN, None) is None
    assert leases.take(replace(OTHER, logical_date="2026-11-20"), None) is None
    assert leases.take(replace(OTHER, category="Weekly"), None) is None
    assert len(leases.open_runs()) == 3


def test_a_lease_given_back_is_free_for_the_next(leases: Leases) -> None:
    leases.take(RUN, None)
    leases.release("Daily", "2026-11-21", "run2")
    assert leases.take(OTHER, None) == "run1"
    leases.release("Daily", "2026-11-21", "run1")
    leases.release("Daily", "2026-11-21", "run1")
    assert leases.take(OTHER, None) is None


def test_a_scheduled_start_that_arrives_twice_is_one_run_even_after_its_end(
    leases: Leases,
) -> None:
    assert leases.take(RUN, "2026-11-21T05:00:00Z") is None
    leases.release("Daily", "2026-11-21", "run1")
    assert leases.take(OTHER, "2026-11-21T05:00:00Z") == "run1"
    assert leases.take(OTHER, "2026-11-22T05:00:00Z") is None


def test_a_lease_lapses_when_its_run_cannot_live_any_more(leases: Leases) -> None:
    leases.take(RUN, None)
    late = replace(OTHER, started_at="2026-12-05T05:00:01.000Z")
    assert leases.take(replace(late, started_at="2026-12-05T04:59:59.000Z"), None) == "run1"
    assert leases.take(late, None) is None
    assert leases.open_runs() == [late]
