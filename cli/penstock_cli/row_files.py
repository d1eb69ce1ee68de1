"""Job rows as YAML files: read whole, checked whole, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from penstock.domain.control_row import item_of, read_row
from penstock_cli.errors import CommandError

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file, with the line where it begins."""

    file: Path
    line: int
    attributes: Item

    @property
    def place(self) -> str:
        """Where a person finds the row."""
        name = self.attributes.get("JobName", "a row without JobName")
        return f"{self.file}:{self.line} ({name})"


def load(files: Iterable[Path]) -> list[Item]:
    """The items of all rows in the files, as the control table stores them.

    Raises CommandError that lists every problem with its file, line, job and field.
    """
    rows = [row for file in files for row in _rows(file)]
    problems = [
        f"{row.place} {problem}" for row in rows for problem in read_row(row.attributes).problems
    ]
    first: dict[str, FileRow] = {}
    for row in rows:
        name = str(row.attributes.get("JobName", "")).strip()
        if name in first:
            problems.append(f"{row.place} JobName: stands already at {first[name].place}")
        elif name:
            first[name] = row
    if problems:
        raise CommandError("nothing was applied:\n  " + "\n  ".join(problems))
    return [item_of(row.attributes) for row in rows]


def _rows(file: Path) -> list[FileRow]:
    try:
        text = file.read_text()
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CommandError(f"{file} is no YAML: {error}") from error
    if not isinstance(content, list) or not isinstance(root, yaml.SequenceNode):
        raise CommandError(f"{file}: a list of rows is expected, each beginning with `- JobName:`")
    rows = []
    for node, attributes in zip(root.value, content, strict=True):
        line = node.start_mark.line + 1
        if not isinstance(attributes, dict):
            raise CommandError(f"{file}:{line}: a row is a map of fields, not {attributes!r}")
        rows.append(FileRow(file, line, attributes))
    return rows
