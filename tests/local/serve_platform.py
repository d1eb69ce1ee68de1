"""Serves the platform with its job runs alone, and a minute that lasts but a few seconds."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock_local import launcher
from penstock_local.job_processes import processes
from penstock_local.settings import LocalSettings

home, runtimes, port, seconds_per_minute = sys.argv[1:]
launcher.REPAIRS = (  # type: ignore[assignment]
    "penstock_local.cloudformation",
    "penstock_local.glue",
    "penstock_local.emr_serverless",
    "penstock_local.ecs",
    "penstock_local.iam_names",
)
processes.SECONDS_PER_MINUTE = float(seconds_per_minute)
launcher.run(LocalSettings(home=Path(home), runtimes=Path(runtimes), port=int(port)))
