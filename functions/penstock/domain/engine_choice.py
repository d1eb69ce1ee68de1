"""`JobType: auto`: a Python shell job, or Spark where much data is expected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from penstock.domain.control_row import ControlRow
    from penstock.domain.history import History

AUTO: Final = "auto"
SPARK_SUFFIX: Final = "-spark"
"""How the Spark job of a pair is called beside the other: `{stack}-transform-spark`."""

SPARK_FROM: Final = 4 * 2**30
"""Bytes from which Spark is taken. A Python shell job has a disk of some 14 GB, which has to hold
what it reads, what it keeps in between and what it writes."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What runs an `auto` job this time, and why, for people."""

    job_type: str
    target: str
    reason: str


def choose_engine(
    target: str, target_spark: str, expected_bytes: int | None, history: History
) -> EngineChoice:
    """Return the engine for the bytes that the row expects, or else those of past runs."""
    usual = history.bytes
    if expected_bytes is not None:
        size, source = float(expected_bytes), "ExpectedBytes"
    elif usual is not None:
        size, source = usual, "the last successes"
    else:
        return EngineChoice("python_shell", target, "python_shell: no bytes are known yet")
    job_type = "spark" if size >= SPARK_FROM else "python_shell"
    way = "at least" if job_type == "spark" else "less than"
    reason = f"{job_type}: {_spoken(size)} by {source}, {way} {_spoken(SPARK_FROM)}"
    chosen = (target_spark or target + SPARK_SUFFIX) if job_type == "spark" else target
    return EngineChoice(job_type, chosen, reason)


def with_engine(row: ControlRow, target_spark: str, expected_bytes: int | None) -> ControlRow:
    """Return an `auto` row as that of the engine it gets, with the sizes that engine has."""
    choice = choose_engine(row.target, target_spark, expected_bytes, row.recorded.history)
    is_spark = choice.job_type == "spark"
    return replace(
        row,
        job_type=choice.job_type,
        target=choice.target,
        chosen=choice.reason,
        worker_type=row.worker_type if is_spark else None,
        number_of_workers=row.number_of_workers if is_spark else None,
        max_capacity=None if is_spark else row.max_capacity,
    )


def _spoken(size: float) -> str:
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size:,.0f} bytes"
