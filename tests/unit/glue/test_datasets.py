"""The contract of a job: its arguments, where its data lies, and when that becomes visible."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest
from penstock_job.contract import (
    JobArgumentParser,
    JobContract,
    Output,
    Result,
    contract_of,
    write_result,
)
from penstock_job.dataset import (
    PublishedColumn,
    attempt_path,
    find_input,
    manifest_path,
    publish,
    rows_before,
)
from penstock_job.errors import (
    AccountingError,
    ArgumentsError,
    InputError,
    SourceError,
    StaleAttemptError,
)
from penstock_job.object_store import ObjectStore
from penstock_job.tally import require_balance
from tests.unit.glue.conftest import BUCKET, JOB_ID, LOGICAL_DATE, arguments
from tests.unit.glue.folder_store import FolderStore


@pytest.fixture(params=["folder", "S3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """The store of the tests and the real one: what follows holds for both."""
    if request.param == "folder":
        return FolderStore(tmp_path)
    request.getfixturevalue("aws")
    return ObjectStore()


def contract(attempt: int = 1, job_name: str = "clean", job_id: str = JOB_ID) -> JobContract:
    own = JobArgumentParser("").read(arguments(job_name, attempt))
    own.job_id = job_id
    return contract_of(own)


def put(store: ObjectStore, of: JobContract, rows: int = 1) -> None:
    publish(store, of, [f"{attempt_path(of)}/part-0"], [PublishedColumn("a", "text")], rows, {})


def test_objects_come_back_as_they_were_put(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "file.bin"
    file.write_bytes(b"x" * 1000)
    stored = store.upload(file, f"s3://{BUCKET}/data/a/part-1.bin")
    store.write(f"s3://{BUCKET}/data/a/part-0.bin", b"abc", "text/plain")
    store.write(f"s3://{BUCKET}/data/a/deeper/part-2.bin", b"", "text/plain")

    files = store.download([stored.path, f"s3://{BUCKET}/data/a/part-0.bin"], tmp_path / "in")

    assert [(file.name, file.read_bytes()) for file in files] == [
        ("00000.bin", b"x" * 1000),
        ("00001.bin", b"abc"),
    ]
    assert [(entry.path.rsplit("/", 1)[1], entry.size) for entry in store.list(
        f"s3://{BUCKET}/data/a")] == [("part-0.bin", 3), ("part-1.bin", 1000)]  # fmt: skip
    assert [entry.path.rpartition("/data/a/")[2] for entry in store.list_below(
        f"s3://{BUCKET}/data/a")] == ["deeper/part-2.bin", "part-0.bin", "part-1.bin"]  # fmt: skip
    assert store.list(f"s3://{BUCKET}/nothing") == []
    assert store.read(f"s3://{BUCKET}/nothing") is None
    with pytest.raises(InputError, match="though a manifest names it"):
        store.download([f"s3://{BUCKET}/nothing"], tmp_path / "in")
    with pytest.raises(InputError, match="is not an S3 address"):
        store.read("http://elsewhere/key")


def test_an_upstream_job_is_found_by_its_manifest_of_the_date(store: ObjectStore) -> None:
    put(store, contract(job_name="clean"), rows=7)

    manifest = find_input(store, contract(job_name="join"), "clean")

    assert (manifest.rows, manifest.columns) == (7, [PublishedColumn("a", "text")])
    assert manifest.files == [
        f"s3://{BUCKET}/data/Daily_Covid/clean/job_id={JOB_ID}/attempt=1/part-0"
    ]


def test_an_upstream_job_that_published_nothing_is_named_with_the_date(store: ObjectStore) -> None:
    with pytest.raises(InputError) as missing:
        find_input(store, contract(job_name="join"), "clean")

    assert f"clean has published nothing for {LOGICAL_DATE}" in str(missing.value)


def test_a_manifest_that_cannot_be_read_is_told(store: ObjectStore) -> None:
    of = contract(job_name="join")
    for body in (b"not json", b'{"rows": 1}'):
        store.write(manifest_path(of, "clean"), body, "application/json")
        with pytest.raises(InputError, match="manifest"):
            find_input(store, of, "clean")


def test_an_attempt_thought_dead_does_not_replace_the_one_after_it(store: ObjectStore) -> None:
    put(store, contract(attempt=2), rows=2)

    with pytest.raises(StaleAttemptError, match="attempt 2 of clean has published already"):
        put(store, contract(attempt=1), rows=1)
    put(store, contract(attempt=2), rows=2)
    put(store, contract(attempt=1, job_id="20261122T050000Z-later"), rows=3)

    assert find_input(store, contract(), "clean").rows == 3


def test_the_result_file_is_what_the_contract_says(store: ObjectStore) -> None:
    of = contract()
    write_result(store, of, Result(10, 7, 2, 1, 123, [Output("clean", "s3://b/d", 7)]))

    assert json.loads(store.read(of.result_path) or b"") == {
        "rows_read": 10,
        "rows_written": 7,
        "rows_rejected": 2,
        "rows_filtered": 1,
        "bytes": 123,
        "outputs": [{"name": "clean", "path": "s3://b/d", "rows": 7}],
    }


def test_rows_that_do_not_add_up_are_an_error() -> None:
    require_balance(read=10, written=7, rejected=2, filtered=1)
    with pytest.raises(
        AccountingError, match=r"10 read, but 7 written \+ 2 rejected \+ 0 filtered"
    ):
        require_balance(read=10, written=7, rejected=2, filtered=0)
    with pytest.raises(AccountingError):
        require_balance(read=10, written=12, rejected=0, filtered=-2)


def test_values_that_look_like_options_and_unknown_options_do_no_harm() -> None:
    parser = JobArgumentParser("")
    parser.add_argument("--filter")
    argv = ["--job-language", "python", *arguments("clean"), "--filter", "--x = 1", "--enable", "y"]

    assert parser.read(argv).filter == "--x = 1"


def test_an_abbreviated_option_is_not_taken_for_another() -> None:
    argv = [word.replace("--logical_date", "--logical") for word in arguments("clean")]

    with pytest.raises(ArgumentsError, match="required: --logical_date"):
        JobArgumentParser("").read(argv)


def test_the_last_line_of_a_traceback_is_the_cause_a_person_reads() -> None:
    error = SourceError("http://x/us.csv\n  answered 404 Not Found")

    assert traceback.format_exception_only(error) == [
        "SourceError: http://x/us.csv answered 404 Not Found\n"
    ]


def test_an_object_is_replaced_only_as_long_as_it_is_what_was_read(store: ObjectStore) -> None:
    path = f"s3://{BUCKET}/data/extract/shop/orders/manifest.json"
    assert store.read_version(path) is None
    assert store.replace(path, b"1", "application/json", None)
    assert not store.replace(path, b"2", "application/json", None), "there is one now"
    found = store.read_version(path)
    assert found is not None
    assert found[0] == b"1"
    assert store.replace(path, b"3", "application/json", found[1])
    assert not store.replace(path, b"4", "application/json", found[1])
    assert store.read(path) == b"3"


def test_the_rows_of_the_last_date_before_are_found(store: ObjectStore) -> None:
    of = contract()
    assert rows_before(store, of) is None
    here = manifest_path(of, of.job_name)
    for day, rows in (("2026-11-18", 5), ("2026-11-20", 7), ("2026-11-22", 9)):
        path = here.replace(LOGICAL_DATE, day)
        store.write(path, json.dumps({"rows": rows}).encode(), "application/json")
    store.write(f"s3://{BUCKET}/data/Daily_Covid/clean/logical_date=zero.txt", b"", "text/plain")

    assert rows_before(store, of) == 7
    assert list(store.folders(f"s3://{BUCKET}/data/Daily_Covid/clean")) == [
        "logical_date=2026-11-18",
        "logical_date=2026-11-20",
        "logical_date=2026-11-22",
    ]
    store.write(here.replace(LOGICAL_DATE, "2026-11-20"), b"{}", "application/json")
    with pytest.raises(InputError, match="it says no rows"):
        rows_before(store, of)
