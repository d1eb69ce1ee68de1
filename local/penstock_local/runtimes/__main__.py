"""`python -m penstock_local.runtimes` prepares what job runs need; quick when it is there."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from penstock_local.runtimes import class_archive, java, python_shell, s3a
from penstock_local.runtimes.folder import RuntimeMissingError, Runtimes, spark_home
from penstock_local.runtimes.uv import PreparationError, Uv
from penstock_local.runtimes.versions import S3A

T = TypeVar("T")


def main(argv: Sequence[str] | None = None) -> int:
    """Prepare everything and say what was done; the exit status is 1 when something failed."""
    options = _parser().parse_args(argv)
    repository: Path = options.repository.resolve()
    runtimes = Runtimes(repository / ".penstock/runtimes")
    try:
        _prepare(
            runtimes, Uv(repository, repository / ".penstock/cache", options.uv), options.module
        )
    except (PreparationError, RuntimeMissingError) as error:
        sys.stderr.write(f"runtimes: {error}\n")
        return 1
    finally:
        shutil.rmtree(repository / ".penstock/cache/tmp", ignore_errors=True)
    return 0


def _prepare(runtimes: Runtimes, tool: Uv, modules: list[str]) -> None:
    asked = sorted({*runtimes.record(python_shell.STEP).get("modules", "").split(), *modules})
    wanted = python_shell.stamp(asked)
    if not runtimes.is_done(python_shell.STEP, wanted):
        with_progress("Python shell", lambda: python_shell.prepare(runtimes, tool, asked))
        runtimes.done(python_shell.STEP, wanted, modules=" ".join(asked))
    if not runtimes.is_done(s3a.STEP, S3A):
        with_progress("S3 for Spark (181 MB, once)", lambda: s3a.prepare(runtimes, tool))
        runtimes.done(s3a.STEP, S3A)
    _prepare_java(runtimes, tool)
    spark_home()
    wanted = class_archive.stamp(runtimes)
    if not runtimes.is_done(class_archive.STEP, wanted):
        runtimes.undone(class_archive.STEP)
        with_progress("Spark's classes", lambda: class_archive.prepare(runtimes))
        runtimes.done(class_archive.STEP, wanted)
    _say(f"runtimes: ready in {runtimes.root}")


def _prepare_java(runtimes: Runtimes, tool: Uv) -> None:
    found = java.find(runtimes)
    if found is None:
        found = with_progress("Java 17", lambda: java.prepare(runtimes, tool))
    runtimes.done(java.STEP, str(found), executable=str(found))


def with_progress(name: str, work: Callable[[], T]) -> T:
    """Do a piece of work between a line that names it and one that says how long it took."""
    _say(f"runtimes: {name} …")
    started = time.monotonic()
    result = work()
    about = f": {result}" if isinstance(result, str) else ""
    _say(f"runtimes: {name} done in {time.monotonic() - started:.0f} s{about}")
    return result


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m penstock_local.runtimes", description=__doc__)
    parser.add_argument(
        "--repository", type=Path, default=Path(), help="where .penstock lies (default: here)"
    )
    parser.add_argument("--uv", type=Path, help="the uv to use (default: the repository's own)")
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        metavar="REQUIREMENT",
        help="a further module for Python shell jobs, such as pandas==2.3.3; kept from now on",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
