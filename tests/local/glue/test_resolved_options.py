"""`getResolvedOptions` answers what Glue 5.1's own does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

import penstock_local.glue

sys.path.insert(0, str(Path(penstock_local.glue.__file__).parent / "shim"))
from awsglue.utils import GlueArgumentError, getResolvedOptions

ALWAYS = {
    "job_bookmark_option": "job-bookmark-disable",
    "job_bookmark_from": None,
    "job_bookmark_to": None,
    "JOB_ID": None,
    "JOB_RUN_ID": None,
    "SECURITY_CONFIGURATION": None,
    "encryption_type": None,
    "enable_data_lineage": None,
    "RedshiftTempDir": None,
    "TempDir": None,
}


# Observed with AWSGlueDataplanePython 5.1.0.
@pytest.mark.parametrize(
    ("argv", "options", "found"),
    [
        ([], [], {}),
        (["--a", "1"], ["a"], {"a": "1"}),
        (["--a-b", "1"], ["a-b"], {"a_b": "1"}),
        (["--a", "1", "--a", "2"], ["a"], {"a": "2"}),
        (["--a", ""], ["a"], {"a": ""}),
        (["--a=b=c"], ["a"], {"a": "b=c"}),
        (["--a", "-1"], ["a"], {"a": "-1"}),
        (["--tab", "1"], ["table"], {"table": "1"}),
        (["--JOB_RUN_ID", "x", "--JOB_ID", "j"], [], {"JOB_RUN_ID": "x", "JOB_ID": "j"}),
        (["--JOB_NAME", "x"], [], {}),
        (["--JOB_NAME", "x"], ["JOB_NAME"], {"JOB_NAME": "x"}),
        (["--TempDir", "t"], ["TempDir"], {"TempDir": "t", "RedshiftTempDir": "t"}),
        (["--RedshiftTempDir", "t"], [], {"TempDir": "t", "RedshiftTempDir": "t"}),
        ([], ["TempDir"], {}),
        (["true", "--other", "x", "--a", "1", "tail"], ["a"], {"a": "1"}),
        (["--a", "1", "--ab", "2"], ["a"], {"a": "1"}),
        (
            ["--job-bookmark-option", "job-bookmark-enable"],
            [],
            {"job_bookmark_option": "job-bookmark-enable"},
        ),
    ],
)
def test_options_are_resolved(argv: list[str], options: list[str], found: dict[str, str]) -> None:
    assert getResolvedOptions(["script.py", *argv], options) == {**ALWAYS, **found}


@pytest.mark.parametrize(
    ("argv", "options", "message"),
    [
        ([], ["a", "b"], "the following arguments are required: --a, --b"),
        (["--a_b", "1"], ["a-b"], "the following arguments are required: --a-b"),
        (["--a", "--b"], ["a"], "argument --a: expected one argument"),
        (["--ab", "2"], ["abcd", "abce"], "ambiguous option: --ab could match --abcd, --abce"),
        (["--job-bookmark-option", "zz"], [], "invalid choice: 'zz'"),
    ],
)
def test_what_cannot_be_resolved_is_an_error(
    argv: list[str], options: list[str], message: str
) -> None:
    with pytest.raises(GlueArgumentError, match=message):
        getResolvedOptions(["script.py", *argv], options)


@pytest.mark.parametrize("options", [["JOB_RUN_ID"], ["JOB_ID"], ["a", "a"]])
def test_glues_own_options_cannot_be_asked_for(options: list[str]) -> None:
    with pytest.raises(argparse.ArgumentError, match="conflicting option"):
        getResolvedOptions(["script.py"], options)
