"""`penstock demo` as a whole: seconds, and the peak memory of all its processes together.

Set-up is done before; nothing of it may be left running afterwards.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="a folder with the CSV files; without it the sample")
    parser.add_argument("--json", action="store_true", help="one object instead of a table")
    options = parser.parse_args()
    before = processes_here()
    started = time.monotonic()
    command = [sys.executable, "-c", "from penstock_cli.main import run; run()", "demo"]
    command += ["--data", options.data] if options.data else []
    with Path(".penstock/bench.log").open("wb") as log:
        demo = subprocess.Popen(command, stdout=log, stderr=log)
        peak = 0
        while demo.poll() is None:
            peak = max(peak, family_bytes(demo.pid))
            time.sleep(SAMPLE_SECONDS)
    seconds = time.monotonic() - started
    left = processes_here() - before
    figures = {
        "seconds": round(seconds, 1),
        "peak_mb": peak >> 20,
        "exit_status": demo.returncode,
        "processes_left": len(left),
        "steps": step_lines(),
    }
    if options.json:
        print(json.dumps(figures))
        return
    print(
        f"seconds {figures['seconds']}, peak {figures['peak_mb']} MB, "
        f"exit status {figures['exit_status']}, {figures['processes_left']} processes left"
    )
    print("\n".join(step_lines()))


def family_bytes(pid: int) -> int:
    """Resident bytes of a process and all its descendants; shared pages count for each."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for one in family:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def processes_here() -> set[int]:
    """Processes whose working folder is this one."""
    here = str(Path.cwd())
    found = set()
    for one in psutil.process_iter():
        try:
            if one.cwd().startswith(here):
                found.add(one.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def step_lines() -> list[str]:
    lines = Path(".penstock/bench.log").read_text().splitlines()
    return [line.strip() for line in lines if line.startswith("✔")]


if __name__ == "__main__":
    main()
