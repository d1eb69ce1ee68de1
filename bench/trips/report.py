"""The table of the data plane's benchmark, as docs/performance.md has it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import duckdb

FLOOR = "read once, write once"
LIMITS = (
    # Penstock's job, what it is measured against, and the ratio that it may or must have.
    ("penstock python_shell", "bare DuckDB", "at most", 1.3),
    ("pandas", "penstock python_shell", "at least", 7.0),
    ("bare PySpark", "penstock python_shell", "at least", 7.0),
    ("penstock spark", "bare PySpark", "at most", 1.15),
)


@dataclass(frozen=True)
class Measured:
    """One run of one contestant."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    written: int
    rejected: int
    bytes: int


Runs = dict[str, list[Measured]]


def report_of(rows: int, size: int, runs: Runs, skipped: Sequence[str]) -> str:
    """The page of the documentation."""
    repeat = max(len(each) for each in runs.values())
    any_run = next(iter(runs.values()))[0]
    what = (
        f"{rows:,} taxi trips, a CSV file of {size / 1e6:,.0f} MB with 12 columns: read, typed, "
        "bad records set aside with reasons, filtered, joined twice with 265 zones, written as "
        f"Parquet. {any_run.written:,} rows written, {any_run.rejected:,} rejected, the same for "
        f"all. S3 is a folder here, for all alike. {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, DuckDB {duckdb.__version__}; median of {repeat} (least to "
        "most), peak memory of the process tree."
    )
    made = f"Made by `python bench/data_plane.py --rows {rows} --repeat {repeat} --write`."
    head = "| | seconds | processor seconds | peak MB |"
    lines = ["# Performance", "", made, "", what, "", head, "|---|---|---|---|"]
    lines += [_row(name, each) for name, each in runs.items()]
    verdicts = [
        _verdict(runs, one, other, way, limit)
        for one, other, way, limit in LIMITS
        if one in runs and other in runs
    ]
    lines += ["", "| | ratio | |", "|---|---|---|", *verdicts, ""]
    lines += [f"Left out: {text}" for text in skipped]
    return "\n".join(lines).rstrip() + "\n"


def _row(name: str, runs: list[Measured]) -> str:
    seconds = [run.seconds for run in runs]
    middle = f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
    if name == FLOOR:
        return f"| {name} | {median(seconds):.1f} | | |"
    cpu = median(run.cpu_seconds for run in runs)
    return f"| {name} | {middle} | {cpu:.1f} | {max(run.peak_megabytes for run in runs):,.0f} |"


def _verdict(runs: Runs, one: str, other: str, way: str, limit: float) -> str:
    ratio = _middle(runs[one]) / _middle(runs[other])
    holds = ratio <= limit if way == "at most" else ratio >= limit
    is_met = "met" if holds else "MISSED"
    return f"| {one} / {other} | {ratio:.2f} | {way} {limit}: {is_met} |"


def _middle(runs: list[Measured]) -> float:
    return median(run.seconds for run in runs)
