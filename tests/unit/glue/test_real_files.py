"""Real files with lines broken on purpose: every reject is counted, nothing is seen half done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from penstock_job.contract import JobContract
from penstock_job.dataset import attempt_path, find_input, manifest_path, rejects_path
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.transform import TransformArgumentParser, transform
from tests.unit.glue.conftest import BUCKET, arguments
from tests.unit.glue.folder_store import FolderStore
from tests.unit.glue.kept import kept

REAL = Path(__file__).parents[4] / "shared/data/covid"
SERIES, REFERENCE = "time-series-19-covid-combined.csv", "reference.csv"
BREAKERS: dict[str, Callable[[str], str]] = {
    "cut": lambda line: line.rsplit(",", 1)[0],
    "long": lambda line: line + ",1",
    "open": lambda line: '"' + line,
    "text": lambda line: line.rsplit(",", 1)[0] + ",many",
}


@pytest.fixture(scope="module")
def real_data() -> Path:
    if not (REAL / SERIES).exists():
        pytest.skip(f"the real data is not there: {REAL}")
    return REAL


class Shop:
    """One store, and jobs that run in it one after the other."""

    def __init__(self, folder: Path) -> None:
        (folder / "work").mkdir()
        self.folder = folder
        self.store = FolderStore(folder / "s3")
        self.runs = 0

    def contract(self, job: str, attempt: int = 1) -> JobContract:
        result = f"s3://{BUCKET}/results/{job}.json"
        data = f"s3://{BUCKET}/data"
        return JobContract("20261121T050000Z-x", job, "Real", "2026-11-21", attempt, result, data)

    def transform(self, job: str, attempt: int = 1, **own: Any) -> Any:
        self.runs += 1
        work = self.folder / "work" / str(self.runs)
        work.mkdir()
        parsed = TransformArgumentParser("").read(arguments(job, **own))
        with closing(DuckDbEngine(work, self.store)) as engine:
            return transform(engine, self.store, self.contract(job, attempt), parsed)

    def put(self, name: str, body: bytes) -> str:
        self.store.write(f"s3://{BUCKET}/raw/{name}", body, "text/csv")
        return f"s3://{BUCKET}/raw/{name}"

    def rejects(self, job: str) -> list[dict[str, Any]]:
        return kept(rejects_path(self.contract(job)), self.store)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_every_line_that_was_broken_is_a_reject_and_no_other(real_data: Path, shop: Shop) -> None:
    header, *lines = (real_data / SERIES).read_text().splitlines()
    lines = [line for line in lines if line.strip(",")]
    whole = {"source": shop.put("whole.csv", "\n".join([header, *lines]).encode())}
    random = Random(7)
    plain = [number for number, line in enumerate(lines) if '"' not in line]
    chosen = random.sample(plain, 400)
    for position, number in enumerate(chosen):
        lines[number] = list(BREAKERS.values())[position % len(BREAKERS)](lines[number])
    source = shop.put("series.csv", "\n".join([header, *lines]).encode())
    columns = [
        {"name": "day", "from": "Date", "type": "date", "rules": ["not_null"]},
        {"name": "country", "from": "Country/Region", "rules": ["not_null"]},
        {"name": "deaths", "from": "Deaths", "type": "integer"},
    ]

    before = shop.transform("whole", columns=columns, **whole)
    after = shop.transform("series", columns=columns, source=source)

    assert before.rows_rejected == 0
    assert after.rows_read == before.rows_read == len(lines)
    assert after.rows_rejected == 400
    assert after.rows_written == len(lines) - 400
    broken = {number + 2 for position, number in enumerate(chosen) if position % len(BREAKERS) < 3}
    rejects = shop.rejects("series")
    assert {reject["line"] for reject in rejects if reject["line"]} == broken
    assert len(rejects) == 400


def test_the_reference_table_is_a_lookup_of_four_thousand_rows(real_data: Path, shop: Shop) -> None:
    reference = shop.put(REFERENCE, (real_data / REFERENCE).read_bytes())
    series = shop.put("series.csv", (real_data / SERIES).read_bytes())
    countries = shop.transform(
        "countries",
        source=reference,
        columns=[
            {"name": "country", "from": "Country_Region", "rules": ["not_null"]},
            {"name": "province", "from": "Province_State"},
            {"name": "iso", "from": "iso3"},
            {"name": "population", "from": "Population", "type": "integer"},
        ],
    )

    joined = shop.transform(
        "joined",
        source=series,
        columns=[
            {"name": "day", "from": "Date", "type": "date"},
            {"name": "country", "from": "Country/Region"},
        ],
        join=[{"with": "countries", "on": "country", "columns": ["iso", "population"],
               "keep": "population desc", "unmatched": "reject"}],
    )  # fmt: skip

    assert countries.rows_read > 4000
    assert countries.rows_read == countries.rows_written + countries.rows_rejected
    assert joined.rows_read == joined.rows_written + joined.rows_rejected
    assert joined.rows_written > 30_000
    assert {reject["reason"] for reject in shop.rejects("joined")} <= {
        "country has no match in countries"
    }


@pytest.mark.parametrize("step", ["_run", "upload", "write"])
def test_a_job_killed_in_the_middle_shows_nothing_and_its_second_attempt_replaces_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    old = shop.put("old.csv", b"a\n1\n")
    new = shop.put("new.csv", b"a\n2\n3\nx,y\n")
    columns = [{"name": "a", "type": "integer"}]
    shop.transform("job", columns=columns, source=old)
    manifest = shop.store.read(manifest_path(shop.contract("job"), "job"))

    class KilledError(BaseException):
        """What no job can catch."""

    def killed(self: Any, *args: Any, **options: Any) -> Any:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(DuckDbEngine if step == "_run" else FolderStore, step, killed)
        with pytest.raises(KilledError):
            shop.transform("job", attempt=2, columns=columns, source=new)
    assert shop.store.read(manifest_path(shop.contract("job"), "job")) == manifest

    shop.transform("job", attempt=3, columns=columns, source=new)

    found = find_input(shop.store, shop.contract("reader"), "job")
    assert (found.attempt, found.rows) == (3, 2)
    assert all(attempt_path(shop.contract("job", 3)) in file for file in found.files)
