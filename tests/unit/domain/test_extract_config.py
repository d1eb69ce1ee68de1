"""What the shape of an extract config cannot say, and which tables an event names."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.domain.extract_config import (
    ExtractConfig,
    InvalidExtractConfigError,
    extract_config,
)
from penstock.domain.extract_selection import selected

SECRET = "arn:aws:secretsmanager:eu-west-1:1:secret:shop"


def source(*tables: Any, name: str = "shop", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "postgresql",
        "secret_arn": SECRET,
        "defaults": {"target": "extract"},
        "tables": list(tables),
        **fields,
    }


def config(*sources: dict[str, Any], **fields: Any) -> ExtractConfig:
    return extract_config({"sources": list(sources), **fields})


def test_a_table_takes_what_it_says_then_what_its_source_says_then_the_config() -> None:
    made = config(
        source(
            "orders",
            {"table": "items", "pool": "own"},
            defaults={"target": "extract", "pool": "shop", "drift": "freeze"},
        ),
        defaults={"pool": "all", "partitions": 4},
    )
    assert [dict(table.settings) for table in made.tables] == [
        {"target": "extract", "pool": "shop", "drift": "freeze", "partitions": 4},
        {"target": "extract", "pool": "own", "drift": "freeze", "partitions": 4},
    ]
    assert (made.category, made.target_seconds) == ("Extract", 600)


def test_a_connection_is_encrypted_unless_the_config_says_otherwise() -> None:
    made = config(source("a"), source("a", name="old", tls=False))
    assert [table.source.connection["tls"] for table in made.tables] == [True, False]


@pytest.mark.parametrize(
    ("settings", "job_type"),
    [
        ({}, "python_shell"),
        ({"job_type": "glue"}, "python_shell"),
        (
            {
                "job_type": "glue",
                "worker_type": "G.1X",
                "number_of_workers": 4,
                "target": "mine",
            },
            "spark",
        ),
        ({"job_type": "ecs", "target": "task"}, "ecs"),
        ({"job_type": "emr", "target": "s3://b/job.py"}, "emr"),
    ],
)
def test_glue_is_spark_if_it_has_workers(settings: dict[str, Any], job_type: str) -> None:
    assert config(source({"table": "a", **settings})).tables[0].job_type == job_type


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        ([source("a"), source("b")], "sources: the name 'shop' stands there 2 times"),
        ([source("a", "a")], "sources[0].tables: 'a' stands there 2 times"),
        (
            [source("z", {"table": "a", "mode": "incremental", "primary_key": ["id"]})],
            "sources[0].tables[1].cursor: is missing; mode incremental needs it",
        ),
        (
            [source({"table": "a", "mode": "incremental"}, type="http_csv")],
            "sources[0].tables[0].mode: is incremental, but a file",
        ),
        (
            [source({"table": "a", "mode": "incremental", "cursor": "at"}, type="s3")],
            "sources[0].tables[0].primary_key: is missing; cursor has a meaning only with it",
        ),
        (
            [source("a", "b", type="http_csv", url="https://example.com/a.csv")],
            "sources[0].url: has no {table} in it, so that all tables would be the same file",
        ),
        (
            [
                source(
                    {"table": "a", "worker_type": "G.1X", "number_of_workers": 2},
                    type="mysql",
                    defaults={},
                )
            ],
            "sources[0].tables[0].target: is missing; the spark job",
        ),
        (
            [source({"table": "a", "worker_type": "G.1X", "number_of_workers": 1})],
            "sources[0].tables[0].number_of_workers: is 1, but a Glue job with Spark has 2",
        ),
        (
            [source({"table": "a", "job_type": "ecs"}, defaults={})],
            "sources[0].tables[0].target: is missing",
        ),
        (
            [
                source(
                    {
                        "table": "a",
                        "mode": "incremental",
                        "cursor": "at",
                        "primary_key": ["id"],
                        "drift": "accept",
                    }
                )
            ],
            "sources[0].tables[0].drift: is accept, which replaces the whole table",
        ),
        (
            [source({"table": "a", "worker_type": "G.1X", "target": "t"})],
            "sources[0].tables[0].worker_type: needs worker_type and number_of_workers",
        ),
        (
            [source({"table": "a", "job_type": "python_shell", "number_of_workers": 3})],
            "sources[0].tables[0].number_of_workers: a python_shell job has no Glue workers",
        ),
    ],
)
def test_every_problem_is_named_by_its_path(sources: list[Any], problem: str) -> None:
    with pytest.raises(InvalidExtractConfigError, match="nothing was started") as caught:
        config(*sources)
    assert problem in str(caught.value)


def test_objects_may_be_extracted_by_increments_with_or_without_a_key() -> None:
    keyed = {"table": "b", "mode": "incremental", "cursor": "at", "primary_key": ["id"]}
    made = config(source({"table": "a", "mode": "incremental"}, keyed, type="s3"))
    assert [table.mode for table in made.tables] == ["incremental", "incremental"]


def test_what_runs_an_extract_may_be_said_for_each_job_type() -> None:
    targets = {"emr": "s3://b/job.py", "spark": "own-spark"}
    made = config(source("a", defaults={"targets": targets, "target": "own"}))
    workers = {"worker_type": "G.1X", "number_of_workers": 3}
    events = [{"job_type": "emr"}, {"job_type": "ecs", "number_of_workers": 1}, workers, {}]
    tables = [
        selected(made, {"tables_to_extract": [{"table": "a", **event}]})[0] for event in events
    ]
    assert [table.target for table in tables] == ["s3://b/job.py", "own", "own-spark", "own"]


def test_workers_are_ranges_read_side_by_side_unless_partitions_are_said() -> None:
    made = config(
        source(
            {"table": "a", "job_type": "ecs", "number_of_workers": 3, "partition_column": "id"},
            {"table": "b", "job_type": "ecs", "number_of_workers": 3},
            {"table": "c", "partitions": 8, "partition_column": "id"},
        )
    )
    assert [table.partitions for table in made.tables] == [3, None, 8]


def test_all_tables_or_some_with_overrides_are_taken_in_the_order_of_the_event() -> None:
    made = config(source("orders", "customers", "items"))
    assert len(selected(made, {"tables_to_extract": "all"})) == 3
    request = {"tables_to_extract": ["items", {"table": "shop/orders", "pool": "slow"}]}
    tables = selected(made, {**request, "overrides": {"pool": "quick", "drift": "freeze"}})
    assert [(table.table, dict(table.settings)) for table in tables] == [
        ("items", {"target": "extract", "pool": "quick", "drift": "freeze"}),
        ("orders", {"target": "extract", "pool": "slow", "drift": "freeze"}),
    ]


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        (["ordres"], "tables_to_extract[0].table: 'ordres' is no table of the config; 'orders' is"),
        (["orders", "shop/orders"], "tables_to_extract: shop/orders stands there 2 times"),
        (["both"], "tables_to_extract[0].table: 'both' may be shop/both, web/both: write one"),
        (
            [{"table": "orders", "source_type": "mysql"}],
            "tables_to_extract[0].source_type: is 'mysql', but shop/orders is postgresql",
        ),
        (
            [{"table": "orders", "mode": "incremental"}],
            "tables_to_extract[0] (shop/orders).cursor: is missing",
        ),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused(entries: list[Any], problem: str) -> None:
    made = config(source("orders", "both"), source("both", name="web"))
    with pytest.raises(InvalidExtractConfigError) as caught:
        selected(made, {"tables_to_extract": entries})
    assert problem in str(caught.value)


def test_a_table_of_two_sources_is_told_apart_by_its_source() -> None:
    made = config(source("both"), source("both", name="web"))
    event = {"tables_to_extract": [{"table": "both", "source": "web"}, "shop/both"]}
    assert [table.key for table in selected(made, event)] == ["web/both", "shop/both"]
