"""Bringing the control table in line with row files: the difference, then one write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from penstock.domain.control_fields import RECORDED
from penstock_cli import row_files
from penstock_cli.stack import Stack

Item = dict[str, Any]

# TransactWriteItems takes 100 at most.
ROWS_PER_TRANSACTION = 100


@dataclass(frozen=True, slots=True)
class Change:
    """What applying a row does: `before` is None for a new one, `after` equals it for none."""

    name: str
    before: Item | None
    after: Item

    @property
    def is_needed(self) -> bool:
        """Whether the table has to be written."""
        return self.before != self.after


def apply_files(console: Console, files: Sequence[Path], stack: Stack, *, ask: bool) -> None:
    """Show what the files change in a stack's control table, then change it.

    Raises CommandError on any bad row, before anything is written.
    """
    items = row_files.load(files)
    table = stack.table(stack.outputs["ControlTable"])
    changes = differences(table, items)
    show(console, changes)
    needed = [change for change in changes if change.is_needed]
    if not needed:
        return
    if ask and not typer.confirm(f"Write {len(needed)} rows to {table.name}?"):
        raise typer.Exit(1)
    write(table.meta.client, table.name, needed)
    console.print(f"{len(needed)} rows written to {table.name}")


def differences(table: Any, items: Iterable[Item]) -> list[Change]:
    """Compare each item with the row of the same name."""
    changes = []
    for item in items:
        after = as_stored(item)
        found = table.get_item(Key={"JobName": item["JobName"]}, ConsistentRead=True).get("Item")
        before = found and {k: v for k, v in found.items() if k not in RECORDED}
        changes.append(Change(item["JobName"], before, after))
    return changes


def write(client: Any, table: str, changes: Sequence[Change]) -> None:
    """Write all changes; what Penstock records in a row stays."""
    for start in range(0, len(changes), ROWS_PER_TRANSACTION):
        some = changes[start : start + ROWS_PER_TRANSACTION]
        client.transact_write_items(
            TransactItems=[{"Update": _update(table, change)} for change in some]
        )


def show(console: Console, changes: Iterable[Change]) -> None:
    """Print the difference, a line per field."""
    for change in changes:
        if change.before is None:
            console.print(Text(f"+ {change.name}", style="green"))
        elif change.is_needed:
            console.print(Text(f"~ {change.name}", style="yellow"))
        else:
            console.print(Text(f"= {change.name}", style="dim"))
            continue
        for line in field_lines(change.before or {}, change.after):
            console.print(Text(f"    {line}"))


def field_lines(before: Item, after: Item) -> list[str]:
    """`Field: old -> new` for each field that differs."""
    lines = []
    for field in sorted(before.keys() | after.keys()):
        old, new = before.get(field), after.get(field)
        if old != new and field != "JobName":
            change = f"{plain(new)}" if old is None else f"{plain(old)} -> {plain(new)}"
            lines.append(f"{field}: {change}")
    return lines


def as_stored(value: Any) -> Any:
    """A value as DynamoDB gives it back: numbers as Decimal, sequences as lists."""
    if isinstance(value, dict):
        return {key: as_stored(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_stored(inner) for inner in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


def plain(value: Any) -> Any:
    """A stored value for a person's eyes."""
    if value is None:
        return "(removed)"
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return int(value) if isinstance(value, Decimal) and value == int(value) else value


def _update(table: str, change: Change) -> dict[str, Any]:
    fields = {field: value for field, value in change.after.items() if field != "JobName"}
    gone = set(change.before or {}) - set(change.after)
    names = {f"#f{i}": field for i, field in enumerate([*fields, *sorted(gone)])}
    values = {f":f{i}": value for i, value in enumerate(fields.values())}
    sets = ", ".join(f"#f{i} = :f{i}" for i in range(len(fields)))
    removes = ", ".join(f"#f{len(fields) + i}" for i in range(len(gone)))
    return {
        "TableName": table,
        "Key": {"JobName": change.name},
        "UpdateExpression": f"SET {sets}" + (f" REMOVE {removes}" if removes else ""),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
