"""Taking turns is right however the functions interleave and wherever they die.

Twenty thousand random interleavings on the run table in memory, some on DynamoDB's own conditional
writes (moto). `PENSTOCK_PROOF` names another number of interleavings: see `make prove`.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from tests.proof.case import check_interleaving, what_is_wrong
from tests.proof.real_run_table import RealRunTable

INTERLEAVINGS = int(os.environ.get("PENSTOCK_PROOF", "20000"))
REAL_INTERLEAVINGS = max(30, INTERLEAVINGS // 500)
CHUNK = 500


@pytest.mark.timeout(86_400)
def test_nothing_is_lost_and_nothing_doubled_in_any_interleaving() -> None:
    chunks = [
        range(start, min(start + CHUNK, INTERLEAVINGS)) for start in range(0, INTERLEAVINGS, CHUNK)
    ]
    processes = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        wrong = [problem for problems in pool.map(what_is_wrong, chunks) for problem in problems]
    assert sum(map(len, chunks)) == INTERLEAVINGS
    assert wrong == []


@pytest.mark.timeout(86_400)
def test_the_same_holds_for_the_conditional_writes_of_dynamodb(dynamodb: Any) -> None:
    for seed in range(REAL_INTERLEAVINGS):
        store = RealRunTable(dynamodb, f"seed{seed}")
        check_interleaving(seed, store)
