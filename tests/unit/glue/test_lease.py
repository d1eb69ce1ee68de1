"""One load of a target at a time; a dead one is outlived; one that lost it stops."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import boto3
import pytest
from penstock_job.contract import JobArgumentParser, JobContract, contract_of
from penstock_job.errors import LeaseError, StaleAttemptError
from penstock_job.lease import Lease
from penstock_job.object_store import ObjectStore
from tests.unit.glue.conftest import BUCKET, arguments

TARGET = "dynamodb://orders"
pytestmark = pytest.mark.usefixtures("aws")


def contract(job: str = "load_orders", attempt: int = 1) -> JobContract:
    return contract_of(JobArgumentParser("").read(arguments(job, attempt)))


def lease(job: str = "load_orders", attempt: int = 1, **own: Any) -> Lease:
    return Lease(ObjectStore(), contract(job, attempt), TARGET, **{"wait": 20.0, **own})


def test_a_lease_that_was_given_back_is_free_at_once() -> None:
    started = time.monotonic()

    for _ in range(3):
        with lease() as held:
            held.require()

    assert time.monotonic() - started < 2


def test_a_second_load_waits_until_the_first_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "penstock_job")
    order = []

    def second() -> None:
        with lease("load_other", seconds=2.0):
            order.append("second")

    with lease(seconds=2.0):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(2.6)  # longer than the lease: it lives by being renewed
        order.append("first")
    thread.join()

    assert order == ["first", "second"]
    assert "is being loaded by load_orders (attempt 1) of run" in caplog.text


def test_a_second_load_that_waits_in_vain_says_for_whom() -> None:
    with (
        lease(),
        pytest.raises(LeaseError, match=r"orders is being loaded by load_orders \(attempt 1\)"),
        lease("load_other", wait=0.0),
    ):
        pass


def test_of_many_that_find_it_free_one_gets_it() -> None:
    holding, most = 0, 0
    lock = threading.Lock()

    def hold() -> None:
        nonlocal holding, most
        with lease(seconds=9.0):
            with lock:
                holding += 1
                most = max(most, holding)
            time.sleep(0.05)
            with lock:
                holding -= 1

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def dead(one: Lease) -> Lease:
    """A lease whose holder was killed: nobody renews it or gives it back."""
    one.__enter__()
    one._ended.set()
    one._renewer.join()
    return one


def test_the_lease_of_a_killed_load_runs_out() -> None:
    dead(lease(seconds=2.0))
    started = time.monotonic()

    with lease("load_other", seconds=2.0):
        waited = time.monotonic() - started

    assert 1 < waited < 5


def test_a_load_that_could_not_renew_its_lease_stops_well_before_another_begins() -> None:
    sleeping = dead(lease(seconds=2.0))
    sleeping.require()

    time.sleep(1.5)  # 0.7 of the lease, and a little

    with pytest.raises(LeaseError, match="could not be renewed in time"):
        sleeping.require()


def test_a_load_notices_that_another_has_taken_its_lease() -> None:
    with lease(seconds=3.0) as held:
        key = held._path.removeprefix(f"s3://{BUCKET}/")
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b'{"renewal": "another"}')
        time.sleep(1)

        with pytest.raises(LeaseError):
            held.require()


def test_an_earlier_attempt_that_wakes_up_late_does_not_load_over_a_later_one() -> None:
    with lease(attempt=2):
        pass

    with pytest.raises(StaleAttemptError, match="attempt 2 of load_orders has loaded"), lease():
        pass
    with lease(attempt=3) as held:
        held.require()
