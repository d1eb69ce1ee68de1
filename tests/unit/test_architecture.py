"""Imports go one way: handlers -> domain and adapters; adapters -> domain; domain -> stdlib."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "functions" / "penstock"
MODULES = sorted(PACKAGE.rglob("*.py"))
FUNCTIONS = (
    "generate_job_id", "plan_run", "await_turn", "settle_job", "close_run", "reconcile_runs",
)  # fmt: skip
MAY_IMPORT = {
    "domain": ("penstock.domain",),
    "adapters": (
        "penstock.domain",
        "penstock.adapters",
        "boto3",
        "botocore",
        "mypy_boto3_",
        "fastjsonschema",
        "yaml",
    ),
    "handlers": (
        "penstock.domain",
        "penstock.adapters",
        "penstock.handlers",
        "penstock.settings",
        "aws_lambda_powertools",
        "botocore.exceptions",
    ),
    "settings.py": ("penstock.domain",),
    "__init__.py": (),
}
LONGEST_MODULE, LONGEST_HANDLER, LONGEST_FUNCTION = 300, 40, 40


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "penstock":
                yield from (f"penstock.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def name(module: Path) -> str:
    return str(module.relative_to(PACKAGE))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_imports_only_what_lies_below_it(module: Path) -> None:
    allowed = MAY_IMPORT[module.relative_to(PACKAGE).parts[0]]
    for imported in imports(module):
        is_standard = imported.split(".")[0] in sys.stdlib_module_names
        assert is_standard or imported.startswith(allowed), imported


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_only_the_settings_read_the_environment(module: Path) -> None:
    if module.name != "settings.py":
        assert not re.search(r"\benviron\b|getenv", module.read_text())


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_modules_and_functions_are_short(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_short_and_has_one_public_function(function: str) -> None:
    source = (PACKAGE / "handlers" / f"{function}.py").read_text()
    assert len(source.splitlines()) <= LONGEST_HANDLER
    functions = [n.name for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
    assert functions == ["handler"]
