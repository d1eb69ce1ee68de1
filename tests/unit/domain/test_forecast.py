"""What a plan will take and cost, by what its jobs usually take."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.domain.test_plan import plan, row

from penstock.domain.forecast import forecast


def usual(seconds: float, dollars: float | None = 0.5) -> dict[str, Any]:
    return {"Recent": json.dumps([[seconds, None, dollars]])}


def test_jobs_start_when_their_upstream_has_ended_and_in_order_of_priority() -> None:
    document = plan(
        row("a", **usual(10)),
        row("b", **usual(20), DependsOn="a"),
        row("c", **usual(5)),
    )
    expected = forecast(document, {"default": 1})
    assert [(job.name, job.start, job.end) for job in expected.jobs] == [
        ("a", 0, 10),
        ("b", 10, 30),
        ("c", 30, 35),
    ]
    assert (expected.seconds, expected.dollars) == (35, 1.5)
    assert expected.limits == ("pool default is full (1 slots) for 35 s",)


def test_with_room_for_all_the_run_takes_its_critical_path() -> None:
    document = plan(
        row("a", **usual(10)), row("b", **usual(20), DependsOn="a"), row("c", **usual(5))
    )
    expected = forecast(document, {"default": 9})
    assert (expected.seconds, expected.limits) == (30, ())


def test_what_nobody_knows_is_counted() -> None:
    expected = forecast(plan(row("a"), row("b", **usual(10, None))), {"default": 9}, 0.25)
    assert (expected.unknown_times, expected.unknown_costs) == (1, 2)
    assert (expected.seconds, expected.dollars) == (60, 2.0)


def test_a_pool_without_slots_is_said_to_hold_jobs_for_ever() -> None:
    expected = forecast(plan(row("a", Pool="paused")), {"paused": 0})
    assert expected.jobs == ()
    assert expected.limits == ("pool paused has no slots (Limit 0): 1 jobs wait",)
