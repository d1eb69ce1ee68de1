"""Prices as a parameter, and what jobs cost by them."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.domain.ending import ending_of_failure, ending_of_result
from penstock.domain.prices import InvalidPricesError, Prices

PRICES = Prices.from_text('{"as_of": "2026-01-01", "glue_dpu_hour": 0.5, "emr_vcpu_hour": 0.1}')


def dollars(result: Any) -> float | None:
    return ending_of_result(result, None, PRICES).figures.dollars


def test_what_the_parameter_leaves_out_has_its_list_price() -> None:
    assert (PRICES.as_of, PRICES.glue_dpu_hour) == ("2026-01-01", 0.5)
    assert PRICES.fargate_vcpu_hour == Prices().fargate_vcpu_hour
    assert Prices.from_text("") == Prices()


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"glue": 1}', '{"glue_dpu_hour": "1"}', '{"glue_dpu_hour": -1}']
)
def test_prices_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidPricesError, match="Prices"):
        Prices.from_text(text)


def test_a_glue_run_costs_its_dpu_hours_also_when_it_fails() -> None:
    run = {"JobRunState": "SUCCEEDED", "ExecutionTime": 7200, "MaxCapacity": 2.0}
    assert dollars(run) == pytest.approx(2.0)
    cause = '{"JobRunState": "FAILED", "ExecutionTime": 3600, "DPUSeconds": 3600}'
    failed = ending_of_failure({"state": "Run", "error": "E", "cause": cause}, None, PRICES)
    assert failed.figures.dollars == pytest.approx(0.5)


def test_an_emr_job_run_costs_what_is_billed() -> None:
    used = {"VCPUHour": 10, "MemoryGBHour": 0}
    assert dollars({"JobRun": {"State": "SUCCESS", "BilledResourceUtilization": used}}) == 1.0


def test_a_fargate_task_costs_its_size_by_its_time() -> None:
    task = {
        "Containers": [{"Name": "c", "ExitCode": 0}],
        "Cpu": "2048",
        "Memory": "4096",
        "StartedAt": 1_000_000,
        "StoppedAt": 1_000_000 + 3_600_000,
    }
    assert dollars(task) == pytest.approx(2 * 0.04048 + 4 * 0.004445)
    iso = task | {"StartedAt": "2026-11-21T05:00:00Z", "StoppedAt": "2026-11-21T05:30:00Z"}
    assert dollars(iso) == pytest.approx(0.04048 + 2 * 0.004445)


@pytest.mark.parametrize(
    "result",
    [
        None,
        {"JobRunState": "SUCCEEDED"},
        {"StatusCode": 200, "Payload": {}},
        {"Id": "s", "Status": "FINISHED"},
        {"Containers": [{"ExitCode": 0}], "Cpu": "256", "Memory": "512", "StartedAt": "soon"},
    ],
)
def test_a_cost_that_nobody_knows_is_not_nothing(result: Any) -> None:
    assert dollars(result) is None
