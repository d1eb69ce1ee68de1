"""The transform jobs against scripts written by hand, on taxi trips in a CSV file.

Each contestant reads the file (12 columns of text, 3.01 % bad records in seven kinds), types the
columns, sets bad records aside with a reason, filters, joins twice with 265 zones and writes
Parquet. Each runs in a process of its own, from the start of the interpreter to its end; the
median of `--repeat` is told, and the peak of the memory of its process tree. S3 is a folder: no
contestant uses a network. Before a figure counts, the rows written and rejected must be the same
for all.

    python bench/data_plane.py [--rows 10000000] [--repeat 5] [--only NAME …] [--json] [--write]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import psutil

from trips.data import make_trips, make_zones
from trips.job import BUCKET, arguments
from trips.pipeline import SPECIFICATION
from trips.report import FLOOR, Measured, Runs, report_of

HERE = Path(__file__).parents[1]
REPORT = HERE / "docs/performance.md"
ROWS = 10_000_000
MEMORY = "600MB"
SAMPLING_SECONDS = 0.05


@dataclass(frozen=True)
class Contestant:
    """A command, and where it leaves its good rows and its rejects."""

    name: str
    command: list[str]
    written: str
    rejected: str
    needs: str = "duckdb"


def contestants(folder: Path, trips: Path, zones: Path) -> list[Contestant]:
    """All of them, the slow ones last."""
    python = sys.executable
    shell = _shell()
    argv = arguments(source=f"s3://{BUCKET}/raw/trips.csv", **SPECIFICATION)
    data = f"{folder}/{BUCKET}/data/Daily_Trips/clean_trips"
    made = f"{data}/job_id=20260131T050000Z-bench/attempt=1/*.parquet"
    kept = f"{data}/_rejects/job_id=20260131T050000Z-bench/attempt=1/*.parquet"
    job = [str(HERE / "bench/trips/job.py")]
    on_shell = [*job, "python_shell/transform.py", str(folder)]
    shell_argv = json.dumps([*argv, "--memory_limit", MEMORY])
    files = [str(trips), str(zones), str(folder / "out")]
    out = f"{folder}/out"
    every = [
        Contestant("penstock python_shell", [python, *on_shell, shell_argv], made, kept),
        Contestant(
            "bare DuckDB",
            [python, str(HERE / "bench/trips/bare_duckdb.py"), *files],
            f"{out}/trips.parquet",
            f"{out}/*.json",
        ),
        Contestant(
            "penstock spark",
            [python, *job, "spark/transform.py", str(folder), json.dumps(argv)],
            made,
            kept,
            "pyspark",
        ),
        Contestant(
            "bare PySpark",
            [python, str(HERE / "bench/trips/bare_spark.py"), *files],
            f"{out}/trips/*.parquet",
            f"{out}/rejects/*.json",
            "pyspark",
        ),
        Contestant(
            "pandas",
            [python, str(HERE / "bench/trips/pandas_way.py"), *files],
            f"{out}/trips.parquet",
            f"{out}/rejects.json",
            "pandas",
        ),
    ]
    if shell is not None:
        on_glue = Contestant(
            "penstock python_shell, Glue's Python 3.9", [shell, *on_shell, shell_argv], made, kept
        )
        every.insert(1, on_glue)
    return every


def measure(contestant: Contestant, folder: Path) -> Measured:
    """Run a contestant once. Raises CalledProcessError with its last words if it fails."""
    _empty(folder)
    environment = {**os.environ, "PYTHONPATH": f"{HERE}/bench:{HERE}/glue"}
    with (folder / "log").open("wb") as log:
        started = time.perf_counter()
        process = psutil.Popen(
            contestant.command, env=environment, cwd=folder, stdout=log, stderr=log
        )
        peak, cpu = _watch(process)
        seconds = time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(
            process.returncode, contestant.name, (folder / "log").read_text()[-3000:]
        )
    written = _count(f"read_parquet('{contestant.written}')")
    reader = "read_parquet" if contestant.rejected.endswith(".parquet") else "read_ndjson_objects"
    rejected = _count(f"{reader}('{contestant.rejected}')")
    *folders, names = Path(contestant.written).parts
    size = sum(file.stat().st_size for file in Path(*folders).glob(names))
    return Measured(seconds, cpu, peak, written, rejected, size)


def floor(trips: Path, size: int) -> float:
    """The seconds of reading the file once and writing so many bytes once, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with trips.open("rb", buffering=0) as source:
            while source.read(1 << 22):
                pass
        with (Path(folder) / "out").open("wb", buffering=0) as target:
            target.write(os.urandom(1 << 20) * (size // (1 << 20) + 1))
            os.fsync(target.fileno())
        return time.perf_counter() - started


def main() -> None:
    """Measure, and print the table."""
    options = _options()
    cache = Path(tempfile.gettempdir()) / "penstock-bench"
    cache.mkdir(exist_ok=True)
    trips, zones = make_trips(cache, options.rows), make_zones(cache)
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as root:
        folder = Path(root)
        _prepare(folder, trips, zones)
        runs, skipped = _run_all(folder, contestants(folder, trips, zones), options)
        size = max(run.bytes for each in runs.values() for run in each)
        _measure_floor(size, trips, runs, options.repeat)
    _require_agreement(runs)
    report = report_of(options.rows, trips.stat().st_size, runs, skipped)
    if options.json:
        print(json.dumps({name: [asdict(run) for run in each] for name, each in runs.items()}))
    else:
        print(report)
    if options.write:
        REPORT.write_text(report)


def _run_all(
    folder: Path, every: list[Contestant], options: argparse.Namespace
) -> tuple[Runs, list[str]]:
    runs: Runs = {}
    wanted = [each for each in every if not options.only or each.name in options.only]
    able = [each for each in wanted if importlib.util.find_spec(each.needs) is not None]
    skipped = [
        f"{each.name}: {each.needs} is not installed (uv sync --group bench)"
        for each in wanted
        if each not in able
    ]
    for number in range(options.repeat):
        for each in able:  # in turn, so that a noisy minute does not fall on one of them
            runs.setdefault(each.name, []).append(measure(each, folder))
            _say(f"{number + 1}/{options.repeat} {each.name}: {runs[each.name][-1].seconds:.1f} s")
    return runs, skipped


def _measure_floor(size: int, trips: Path, runs: Runs, repeat: int) -> None:
    first = next(iter(runs.values()))[0]
    runs[FLOOR] = [
        Measured(floor(trips, size), 0, 0, first.written, first.rejected, size)
        for _ in range(repeat)
    ]


def _prepare(folder: Path, trips: Path, zones: Path) -> None:
    raw = folder / BUCKET / "raw"
    raw.mkdir(parents=True)
    (raw / "trips.csv").symlink_to(trips)
    (raw / "zones.csv").symlink_to(zones)
    columns = [{"name": "zone", "type": "integer"}, "borough", "name"]
    argv = arguments("zones", source=f"s3://{BUCKET}/raw/zones.csv", columns=columns)
    command = [sys.executable, str(HERE / "bench/trips/job.py"), "python_shell/transform.py"]
    environment = {**os.environ, "PYTHONPATH": f"{HERE}/bench:{HERE}/glue"}
    subprocess.run(
        [*command, str(folder), json.dumps(argv)], env=environment, check=True, capture_output=True
    )


def _empty(folder: Path) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    shutil.rmtree(folder / BUCKET / "data/Daily_Trips/clean_trips", ignore_errors=True)
    (folder / "out").mkdir()


def _watch(process: psutil.Popen) -> tuple[float, float]:
    """Wait for a process; give the peak of its tree's memory in MB and its processor time."""
    peak = 0.0
    cpu: dict[int, float] = {}
    while process.poll() is None:
        total = 0
        for each in _tree(process):
            try:
                total += each.memory_info().rss
                times = each.cpu_times()
            except psutil.Error:
                continue
            cpu[each.pid] = times.user + times.system
        peak = max(peak, total / 1e6)
        time.sleep(SAMPLING_SECONDS)
    return peak, sum(cpu.values())


def _tree(process: psutil.Popen) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _count(source: str) -> int:
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT count(*) FROM {source}").fetchone()
    assert row is not None
    return int(row[0])


def _require_agreement(runs: Runs) -> None:
    counts = {name: {(run.written, run.rejected) for run in each} for name, each in runs.items()}
    if len({count for each in counts.values() for count in each}) > 1:
        raise SystemExit(f"the contestants do not agree on (written, rejected): {counts}")


def _shell() -> str | None:
    python = HERE / ".penstock/runtimes/python_shell/bin/python"
    return str(python) if python.exists() else None


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="names of contestants")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
