"""Rejects of earlier runs, tried again together with the input of today."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from penstock_job.contract import JobContract, Result
from penstock_job.dataset import (
    PublishedColumn,
    attempt_path,
    manifest_path,
    publish,
    rejects_path,
)
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import RuleViolatedError
from penstock_job.spark_engine import SparkEngine
from penstock_job.transform import TransformArgumentParser, transform
from pyspark.sql import SparkSession
from tests.unit.glue.conftest import BUCKET, arguments
from tests.unit.glue.folder_store import FolderStore
from tests.unit.glue.kept import kept

NUMBERS = count()
STRICT = [
    {"name": "id", "type": "integer", "rules": ["not_null"]},
    {"name": "state", "rules": [{"rule": "in_set", "values": ["US", "CA"]}]},
    {"name": "cases", "type": "integer"},
]
LENIENT = [{"name": "id", "type": "integer"}, "state", "cases"]
UNIQUE = [{"rule": "unique", "columns": ["id"]}]
KINDS = "id VARCHAR, state VARCHAR, cases VARCHAR"


@dataclass
class Days:
    """One job, run day after day on one engine."""

    store: FolderStore
    folder: Path
    session: SparkSession | None
    category: str = field(default_factory=lambda: f"Retry_{next(NUMBERS)}")
    results: dict[int, Result] = field(default_factory=dict)

    def run(
        self, day: int, rows: list[tuple[Any, ...]], tried: Sequence[Any] = (), **own: Any
    ) -> Any:
        """Publish these rows as the day's input, and clean them with what was rejected before."""
        kinds = own.pop("kinds", KINDS)
        run = own.pop("run", "a")
        self._publish(self.contract(day, run, "source"), rows, kinds)
        own = {"inputs": "source", "columns": STRICT, "rules": UNIQUE, **own}
        return self._clean(day, run, tried, own)

    def read(self, day: int, text: str, tried: Sequence[Any] = (), **own: Any) -> Any:
        """Clean a CSV file with what was rejected before."""
        path = f"s3://{BUCKET}/raw/{self.category}-{day}.csv"
        self.store.write(path, text.encode(), "text/csv")
        return self._clean(day, "a", tried, {"source": path, **own})

    def _clean(self, day: int, run: str, tried: Sequence[Any], own: dict[str, Any]) -> Any:
        contract = self.contract(day, run)
        batches = [batch if isinstance(batch, dict) else self.batch(batch) for batch in tried]
        if batches:
            path = f"s3://{BUCKET}/runs/{contract.job_id}/rejects.json"
            self.store.write(path, json.dumps({"batches": batches}).encode(), "application/json")
            contract = JobContract(**{**vars(contract), "rejects_path": path})
        parsed = TransformArgumentParser("").read(arguments("clean", **own))
        with self._engine() as engine:
            self.results[day] = transform(engine, self.store, contract, parsed)
        result = self.results[day]
        return (
            result.rows_read, result.rows_written, result.rows_rejected, result.rows_filtered,
        )  # fmt: skip

    def batch(self, day: int, take: str = "open", run: str = "a") -> dict[str, str]:
        return {"path": rejects_path(self.contract(day, run)), "take": take}

    def rejects(self, day: int, run: str = "a") -> list[dict[str, Any]]:
        found = kept(rejects_path(self.contract(day, run)), self.store)
        return sorted(found, key=lambda reject: (reject["key"] or "", str(reject["record"])))

    def rows(self, day: int, run: str = "a") -> Counter[tuple[Any, ...]]:
        contract = self.contract(day, run)
        manifest = json.loads(self.store.read(manifest_path(contract, "clean")) or b"")
        files = self.store.download(manifest["files"], self._folder())
        with duckdb.connect() as connection:
            return Counter(connection.read_parquet([str(file) for file in files]).fetchall())

    def contract(self, day: int, run: str = "a", job: str = "clean") -> JobContract:
        date = f"2026-11-{day:02d}"
        result = f"s3://{BUCKET}/results/{self.category}/{date}-{run}.json"
        data = f"s3://{BUCKET}/data"
        job_id = f"202611{day:02d}T050000Z-{run}"
        return JobContract(job_id, job, self.category, date, 1, result, data)

    def _publish(self, contract: JobContract, rows: list[tuple[Any, ...]], kinds: str) -> None:
        file = self._folder() / "rows.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE rows ({kinds})")
            for row in rows:
                connection.execute(f"INSERT INTO rows VALUES ({', '.join('?' * len(row))})", row)
            connection.execute(f"COPY rows TO '{file}' (FORMAT parquet)")
        with closing(DuckDbEngine(self._folder(), self.store)) as engine:
            select = f"SELECT * FROM read_parquet('{file}')"
            written = engine.write_parquet(select, attempt_path(contract))
            schema = engine.schema(select)
        columns = [PublishedColumn(name, str(kind)) for name, kind in schema.items()]
        files = [stored.path for stored in written.files]
        publish(self.store, contract, files, columns, written.rows, {})

    def _engine(self) -> Any:
        if self.session is None:
            return closing(DuckDbEngine(self._folder(), self.store))
        engine = SparkEngine(self.session, self.store)
        engine.close = engine.release  # type: ignore[attr-defined]
        return closing(engine)  # type: ignore[type-var]

    def _folder(self) -> Path:
        folder = self.folder / str(next(NUMBERS))
        folder.mkdir()
        return folder


@pytest.fixture
def days(s3_folder: Path, tmp_path: Path) -> Days:
    return Days(FolderStore(s3_folder), tmp_path, None)


def test_when_the_rule_is_corrected_the_next_run_takes_the_rejects_in(days: Days) -> None:
    assert days.run(1, [("1", "US", "5"), ("2", "Zürich", "6"), ("3", "CA", "x")]) == (3, 1, 2, 0)
    second, third = days.rejects(1)
    assert (second["rule"], third["rule"]) == ("in_set(state)", "type(cases)")
    assert second["reason"] == "state is not one of US, CA"
    assert second["record"] == {"id": "2", "state": "Zürich", "cases": "6"}
    assert (second["source"], second["key"]) == ("source for 2026-11-01", "2")
    assert days.results[1].rejects == {
        "rows": 2,
        "path": days.batch(1)["path"],
        "by_rule": {"in_set(state)": 1, "type(cases)": 1},
        "resting": 0,
    }

    lenient = [STRICT[0], {"name": "state"}, STRICT[2]]
    assert days.run(2, [("4", "US", "7")], [1], columns=lenient) == (3, 2, 1, 0)

    assert days.rows(2) == Counter([(4, "US", 7), (2, "Zürich", 6)])
    (again,) = days.rejects(2)
    assert (again["attempt"], again["rule"]) == (2, "type(cases)")
    for name in ("source", "record", "key", "first_seen", "first_job_id"):
        assert again[name] == third[name]
    assert again["job_id"] == days.contract(2).job_id
    assert days.results[2].rejects == {
        "rows": 1,
        "path": days.batch(2)["path"],
        "by_rule": {"type(cases)": 1},
        "resting": 0,
        "retried": [days.batch(1)["path"]],
        "rows_retried": 2,
        "superseded": 0,
    }


def test_a_record_of_today_wins_over_a_reject_with_its_key_even_if_it_is_bad(days: Days) -> None:
    days.run(1, [("1", "??", "5"), ("2", "??", "6"), ("3", "??", "7")])
    today = [("1", "US", "50"), ("2", "!!", "60")]
    assert days.run(2, today, [1], columns=LENIENT[:1] + STRICT[1:2] + ["cases"]) == (5, 1, 2, 2)
    assert days.rows(2) == Counter([(1, "US", "50")])
    assert [(r["record"]["state"], r["attempt"]) for r in days.rejects(2)] == [("!!", 1), ("??", 2)]


def test_of_several_rejects_with_one_key_the_latest_counts(days: Days) -> None:
    days.run(1, [("1", "??", "5")])
    days.run(2, [("1", "!!", "6")])
    assert days.run(3, [], [1, 2], columns=LENIENT) == (2, 1, 0, 1)
    assert days.rows(3) == Counter([(1, "!!", "6")])


def test_without_a_key_the_same_record_is_not_taken_twice(days: Days) -> None:
    days.run(1, [("1", "??", "5"), ("1", "!!", "5"), (None, "??", None)], rules=[])
    today = [("1", "??", "5"), ("9", "US", "1")]
    read = days.run(2, today, [1], rules=[], columns=LENIENT)
    assert read == (5, 4, 0, 1)
    assert days.rows(2)[(1, "??", "5")] == 1


def test_after_three_attempts_a_reject_rests_until_it_is_asked_for(days: Days) -> None:
    days.run(1, [("1", "??", "5")])
    days.run(2, [("2", "!!", "5")], [1])
    days.run(3, [], [2])
    assert [(r["key"], r["attempt"]) for r in days.rejects(3)] == [("1", 3), ("2", 2)]
    assert (days.results[3].rejects or {})["resting"] == 1

    assert days.run(4, [], [3]) == (1, 0, 1, 0)
    assert [(r["key"], r["attempt"]) for r in days.rejects(4)] == [("2", 3)]
    resting = [days.batch(3, "resting"), days.batch(4, "all")]
    assert days.run(5, [], resting) == (2, 0, 2, 0)
    assert [(r["key"], r["attempt"]) for r in days.rejects(5)] == [("1", 1), ("2", 1)]
    assert {r["first_job_id"] for r in days.rejects(5)} == {
        days.contract(1).job_id,
        days.contract(2).job_id,
    }


def test_a_reject_that_is_no_record_of_the_input_any_more_is_rejected_as_such(days: Days) -> None:
    days.run(1, [("x1", "US", "5"), ("2", "??", None)])
    kinds = "id BIGINT, state VARCHAR, cases BIGINT, added DATE"
    columns = ["id", "state", "cases", "added"]
    assert days.run(2, [(3, "US", 7, "2026-11-02")], [1], kinds=kinds, columns=columns) == (
        3, 2, 1, 0,
    )  # fmt: skip
    (unfit,) = days.rejects(2)
    assert (unfit["rule"], unfit["attempt"], unfit["key"]) == ("input", 2, "x1")
    assert unfit["record"] == {"id": "x1", "state": "US", "cases": "5"}
    assert unfit["reason"].startswith("id is not a whole number")
    assert "as the input has it now" in unfit["reason"]


def test_old_rejects_count_for_no_limit_and_fail_no_job(days: Days) -> None:
    days.run(1, [("1", "??", "5"), ("2", "!!", "6")])
    rules = [*UNIQUE, {"rule": "expression", "sql": "state <> '!!'", "severity": "fail_job"}]
    assert days.run(
        2, [("3", "US", "1")], [1], rules=rules, max_reject_ratio="0.5",
        columns=[STRICT[0], "state", STRICT[2]],
    ) == (3, 2, 1, 0)  # fmt: skip
    (again,) = days.rejects(2)
    assert (again["record"]["state"], again["reason"]) == ("!!", "not so: state <> '!!'")
    with pytest.raises(RuleViolatedError, match="1 of 1 records"):
        days.run(3, [("4", "!!", "1")], [1], rules=rules, columns=LENIENT)


def test_a_date_that_is_published_anew_keeps_the_rejects_accepted_for_it(days: Days) -> None:
    days.run(1, [("1", "??", "5"), ("2", "!!", "6")])
    days.run(2, [("3", "US", "7")], [1], columns=[STRICT[0], "state", "cases"])
    before = days.rows(2)
    assert len(before) == 3

    assert days.run(2, [("3", "US", "7")], run="b", columns=LENIENT) == (3, 3, 0, 0)
    assert days.rows(2, "b") == before
    assert days.results[2].rejects is None
    strict = days.run(2, [("3", "US", "7"), ("2", "CA", "1")], run="c")
    assert strict == (4, 2, 1, 1)
    (again,) = days.rejects(2, "c")
    assert (again["key"], again["attempt"]) == ("1", 2)


def test_rejects_that_are_gone_are_left_out_and_not_called_retried(days: Days) -> None:
    days.run(1, [("1", "??", "5")])
    gone = {"path": f"s3://{BUCKET}/data/nowhere", "take": "open"}
    assert days.run(2, [("2", "US", "6")], [gone]) == (1, 1, 0, 0)
    assert days.results[2].rejects is None


def test_every_type_and_awkward_names_and_values_come_back_as_they_were(days: Days) -> None:
    kinds = (
        'n BIGINT, "it\'s a ""name""" VARCHAR, "a.b" DECIMAL(38,10), d DOUBLE, b BOOLEAN, '
        "day DATE, seen TIMESTAMP"
    )
    rows = [
        (1, 'quote " \\ \n\t 😷', "1234567890123456789012345678.0000000001", 1e300, True,
         "2026-02-28", "2026-02-28 01:02:03.000004"),
        (2, "", "-0.5", -0.1, False, "0001-01-01", "1582-10-10 00:00:00"),
        (3, None, None, None, None, None, None),
        (9223372036854775807, "ü", "0", 4.9e-324, None, None, None),
    ]  # fmt: skip
    never = [{"rule": "expression", "sql": "n < 0"}]
    days.run(1, rows, kinds=kinds, columns="", rules=never)
    assert len(days.rejects(1)) == 4
    days.run(2, rows, run="whole", kinds=kinds, columns="", rules=[])
    whole = days.rows(2, "whole")
    assert days.run(3, [], [1], kinds=kinds, columns="", rules=[]) == (4, 4, 0, 0)
    assert days.rows(3) == whole


def test_spark_tries_again_just_as_duckdb_does(
    days: Days, s3_folder: Path, spark: SparkSession, tmp_path: Path
) -> None:
    kinds = 'id VARCHAR, "it\'s a.b" VARCHAR, n DOUBLE, p DECIMAL(38,10), seen TIMESTAMP'
    rows = [
        ("1", 'quote " \\ \n 😷', 1e300, "1234567890123456789012345678.0000000001",
         "2026-02-28 01:02:03.000004"),
        ("2", "", -0.1, "-0.5", "1582-10-10"),
        ("3", None, None, None, None),
        ("x", "ü", 5.0, "0", None),
        (None, "again", 1.0, None, None),
    ]  # fmt: skip
    today = [(2, "new", 1.0, None, None), (9, "new", 1.0, None, None)]
    rules = [*UNIQUE, {"rule": "not_null", "column": "id"}]
    never = [{"rule": "expression", "sql": "FALSE"}]
    both = (days, Days(days.store, tmp_path, spark))
    for each in both:
        assert each.run(1, rows, kinds=kinds, columns="", rules=[*UNIQUE, *never]) == (5, 0, 5, 0)
        typed = kinds.replace("id VARCHAR", "id BIGINT")
        counts = each.run(2, today, [1], kinds=typed, columns="", rules=rules)
        assert counts == (7, 4, 2, 1)
    by_duckdb, by_spark = both
    assert by_duckdb.rows(2) == by_spark.rows(2)
    for day in (1, 2):
        pairs = zip(by_duckdb.rejects(day), by_spark.rejects(day), strict=True)
        for one, other in pairs:
            assert {**one, "first_seen": None} == {**other, "first_seen": None}
    by_rule = {"not_null(id)": 1, "input": 1}
    assert [(each.results[2].rejects or {})["by_rule"] for each in both] == [by_rule, by_rule]


def test_lines_are_records_on_both_engines_once_the_delimiter_is_corrected(
    days: Days, s3_folder: Path, spark: SparkSession, tmp_path: Path
) -> None:
    both = (days, Days(days.store, tmp_path, spark))
    for each in both:
        first = each.read(1, 'id;note\n1;a\n2,b\n"3",""\n4,c,d\n', delimiter=";")
        assert first == (4, 1, 3, 0)
        assert each.read(2, "id,note\n5,e\n6;f\n", [1]) == (5, 3, 2, 0)
    by_duckdb, by_spark = both
    assert by_duckdb.rows(2) == {("5", "e"): 1, ("2", "b"): 1, ("3", ""): 1}
    assert by_spark.rows(2) == by_duckdb.rows(2)
    for each in both:
        left = [(reject["record"], reject["attempt"]) for reject in each.rejects(2)]
        assert left == [("4,c,d", 2), ("6;f", 1)]
