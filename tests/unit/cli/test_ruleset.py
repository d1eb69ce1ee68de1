"""`penstock dqdl FILE`."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock_cli.errors import CommandError
from penstock_cli.ruleset import ruleset_of


def test_a_specification_file_becomes_a_ruleset(tmp_path: Path) -> None:
    file = tmp_path / "clean_orders.yaml"
    file.write_text("columns: [{name: id, type: integer, rules: [not_null]}]\n")

    assert ruleset_of(file) == 'Rules = [\n    IsComplete "id"\n]\n'


def test_a_file_that_is_none_is_told_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("colums: []\n")

    with pytest.raises(CommandError, match=r"wrong\.yaml.*did you mean columns"):
        ruleset_of(file)
    with pytest.raises(CommandError, match="No such file"):
        ruleset_of(tmp_path / "none.yaml")
