"""Packs, and the jobs and work orders made of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.domain.control_row import read_row
from penstock.domain.extract_config import ExtractTable, Source
from penstock.domain.extract_jobs import extract_jobs, job_name
from penstock.domain.packing import packs

SHOP = Source("shop", "postgresql", {"secret_arn": "arn", "tls": True})


def table(name: str, source: Source = SHOP, **settings: Any) -> ExtractTable:
    return ExtractTable(source, name, {"target": "extract", **settings})


def test_a_thousand_small_tables_share_at_most_sixty_runs() -> None:
    jobs = extract_jobs([table(f"t{number}") for number in range(1_000)], 600)
    assert len(jobs) <= 60
    assert sum(len(job.tables) for job in jobs) == 1_000
    assert len({job.name for job in jobs}) == len(jobs)


@given(st.lists(st.floats(0, 2_000), max_size=60))
def test_every_table_is_in_one_pack_and_only_a_lone_one_is_over_the_target(
    seconds: list[float],
) -> None:
    tables = [table(f"t{n}", expected_seconds=each) for n, each in enumerate(seconds)]
    made = packs(tables, 600)
    assert sorted(t.key for pack in made for t in pack) == sorted(t.key for t in tables)
    for pack in made:
        assert len(pack) == 1 or sum(t.expected_seconds for t in pack) <= 600 + 1e-6
    assert len(made) <= len(tables)


def test_only_tables_that_run_in_the_same_way_share_a_run() -> None:
    other = Source("web", "mysql", {})
    made = packs(
        [
            table("a"),
            table("b"),
            table("c", pool="slow"),
            table("d", other),
            table("e", target="own"),
        ],
        600,
    )
    assert sorted([t.table for t in pack] for pack in made) == [["a", "b"], ["c"], ["d"], ["e"]]


def test_a_job_is_a_valid_control_row_with_its_work_order_as_argument() -> None:
    [job] = extract_jobs([table("public.orders", pool="shop", timeout_minutes=30)], 600)
    reading = read_row(job.row("Extract", "20261121T050000Z-x"))
    assert reading.problems == ()
    assert (reading.row.job_name, reading.row.pool) == ("shop.public.orders", "shop")
    assert reading.row.arguments == {
        "tables_path": "s3://{data_bucket}/runs/20261121T050000Z-x/tables/shop.public.orders.json"
    }


def test_a_work_order_tells_source_table_and_committed_watermark() -> None:
    [job] = extract_jobs(
        [table("orders", mode="incremental", cursor="at", primary_key=["id"])], 600
    )
    assert job.work_order({"shop/orders": {"value": "5"}}, "extract/") == {
        "source": {"name": "shop", "type": "postgresql", "secret_arn": "arn", "tls": True},
        "tables": [
            {
                "table": "orders",
                "mode": "incremental",
                "cursor": "at",
                "primary_key": ["id"],
                "watermark": {"value": "5"},
                "target": "extract/shop/orders",
            }
        ],
    }


def test_names_that_no_job_may_have_become_names_that_stay_apart() -> None:
    assert job_name("shop.orders") == "shop.orders"
    one, other = job_name("shop.Größe"), job_name("shop.Gruße")
    assert one != other
    assert len(job_name("x" * 200)) == 64
