"""What a failed script leaves behind: its traceback in the log, and the run's error message."""

from __future__ import annotations

import sys
import traceback
from typing import Any

LONGEST = 2000


def print_traceback(error: BaseException, script: str) -> None:
    """Write the traceback to standard error as Python does, from the script's own frame on."""
    sys.stdout.flush()
    if isinstance(error, SystemExit):
        if not isinstance(error.code, int):
            sys.stderr.write(f"{error.code}\n")
        return
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != script:
        frame = frame.tb_next
    traceback.print_exception(type(error), error, frame)


def describe(error: BaseException, short_name: bool) -> str:
    """The last line of the traceback, as Glue puts it into the ErrorMessage of a run.

    Glue writes the class with its module for a Python shell job and without it for a Spark job.
    """
    if isinstance(error, SystemExit):
        return f"SystemExit: {error.code}"
    if type(error).__name__ == "Py4JJavaError":
        return _java_failure(error)[:LONGEST]
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    name, colon, rest = text.partition(":")
    if short_name and " " not in name:
        text = name.rsplit(".", 1)[-1] + colon + rest
    return text[:LONGEST]


def _java_failure(error: Any) -> str:
    call = str(error.errmsg).strip()
    try:
        cause = str(error.java_exception.toString()).strip().split("\n", 1)[0]
    except Exception as unasked:  # noqa: BLE001 - whatever it is, the run must report something
        cause = f"(what is not known: {type(unasked).__name__}: {unasked})"
    return f"{call} {cause}"
