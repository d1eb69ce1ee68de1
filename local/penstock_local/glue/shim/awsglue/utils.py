"""Job arguments as Glue 5.1 resolves them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn


class GlueArgumentError(Exception):
    """The command line does not hold what the script asks for."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: list[str]) -> dict[str, Any]:  # noqa: N802
    """The values of the named options, all of them required, and of Glue's own.

    As in Glue 5.1: hyphens become underscores, the last of several values wins, an option may be
    abbreviated on the command line, and one of Glue's own must not be asked for by name (except
    TempDir and RedshiftTempDir). Raises GlueArgumentError.
    """
    parser = _Parser()
    _add_glue_options(parser)
    named = [name for name in options if name not in ("TempDir", "RedshiftTempDir")]
    for name in named:
        parser.add_argument(f"--{name}", required=True)
    found, _ = parser.parse_known_args(args[1:])
    resolved = vars(found)
    resolved.pop("continuation_option")
    # Either name gives both, whichever was on the command line.
    folder = resolved["TempDir"] or resolved["RedshiftTempDir"]
    resolved.update(TempDir=folder, RedshiftTempDir=folder)
    return resolved


def _add_glue_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--job-bookmark-option",
        choices=[f"job-bookmark-{what}" for what in ("enable", "pause", "disable")],
        default="job-bookmark-disable",
    )
    parser.add_argument(
        "--continuation-option",
        choices=[f"continuation-{what}" for what in ("enabled", "readonly", "ignore")],
    )
    parser.add_argument("--encryption-type", choices=["sse-s3"])
    for name in (
        "job-bookmark-from",
        "job-bookmark-to",
        "JOB_ID",
        "JOB_RUN_ID",
        "SECURITY_CONFIGURATION",
        "enable-data-lineage",
        "RedshiftTempDir",
        "TempDir",
    ):
        parser.add_argument(f"--{name}")
