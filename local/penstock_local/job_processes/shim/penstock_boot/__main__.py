"""`python -m penstock_boot <boot.json> <script> <arguments>` runs a Glue script as Glue does.

The script is `__main__`, and the job's arguments are its command line.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import duckdb_secret, failure, lifeline

if TYPE_CHECKING:
    from .spark_gateway import SparkGateway


def main() -> int:
    plan: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if "lifeline" in plan:
        lifeline.hold(plan["lifeline"])
    del sys.argv[:2]
    script = sys.argv[0]
    sys.path[0] = str(Path(script).parent)
    gateway = None
    if "java" in plan:
        from .spark_gateway import SparkGateway

        gateway = SparkGateway(plan["java"])
    else:
        duckdb_secret.make_on_import()
    try:
        if gateway:
            gateway.connect()
        runpy.run_path(script, run_name="__main__")
    except BaseException as error:  # noqa: BLE001 - whatever it is, the run must report it
        return _failed(error, script, Path(plan["failure"]), gateway)
    finally:
        if gateway:
            gateway.close()
    return 0


def _failed(error: BaseException, script: str, report: Path, gateway: SparkGateway | None) -> int:
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return 0
    failure.print_traceback(error, script)
    # A dead JVM cannot be asked what was wrong.
    death = gateway.death() if gateway else ""
    message = death or failure.describe(error, short_name=gateway is not None)
    report.write_text(message, encoding="utf-8")
    return error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1


sys.exit(main())
