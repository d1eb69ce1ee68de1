"""`python -m penstock_local.runtimes` prepares what job runs need; quick when it is there."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from penstock_local.runtimes import class_archive, java, python_shell, s3a
from penstock_local.runtimes.folder import RuntimeMissingError, Runtimes
from penstock_local.runtimes.uv import PreparationError, Uv
from penstock_local.runtimes.versions import S3A


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
    _do(
        runtimes,
        python_shell.STEP,
        "Python shell",
        lambda: python_shell.prepare(runtimes, tool, asked),
        stamp=python_shell.stamp(asked),
        modules=" ".join(asked),
    )
    _do(
        runtimes,
        s3a.STEP,
        "S3 for Spark (181 MB, once)",
        lambda: s3a.prepare(runtimes, tool),
        stamp=S3A,
    )
    _prepare_java(runtimes, tool)
    _do(
        runtimes,
        class_archive.STEP,
        "Spark's classes (once)",
        lambda: class_archive.prepare(runtimes),
        stamp=class_archive.stamp(runtimes),
    )
    _say(f"runtimes: ready in {runtimes.root}")


def _prepare_java(runtimes: Runtimes, tool: Uv) -> None:
    """The machine's own Java may have come or gone since the last time, so look every time."""
    found = java.find(runtimes)
    if found is None:
        _with_progress("Java 17", lambda: java.prepare(runtimes, tool))
        found = java.find(runtimes)
    runtimes.done(java.STEP, str(found), executable=str(found))


def _do(
    runtimes: Runtimes,
    step: str,
    name: str,
    work: Callable[[], str],
    stamp: str,
    **facts: str,
) -> None:
    """Do a step unless it has been done for the same stamp."""
    if runtimes.is_done(step, stamp):
        return
    # Whatever happens from here on, it is not what the last stamp says.
    runtimes.done(step, "", **facts)
    _with_progress(name, work)
    runtimes.done(step, stamp, **facts)


def _with_progress(name: str, work: Callable[[], str]) -> None:
    _say(f"runtimes: {name} …")
    started = time.monotonic()
    result = work()
    _say(f"runtimes: {name} done in {time.monotonic() - started:.0f} s: {result}")


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
