"""Named parameters: values that reach the database beside the SQL text, never inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock_local.redshift.errors import syntax_error, validation
from penstock_local.redshift.words import Sql, placeholders, read

_MARK = "p_"


def check(statements: Sequence[Sql], values: Mapping[str, str]) -> None:
    """Refuse parameters that no statement uses and placeholders without a value.

    Placeholders without any parameter at all pass: Redshift itself stumbles over them later.
    """
    used = {name for sql in statements for name, _, _ in placeholders(sql.words)}
    unused = [name for name in values if name not in used]
    if unused:
        names = ", ".join(unused)
        raise validation(
            f"Parameters list contains unused parameters. Unused parameters: [{names}]"
        )
    missing = sorted(used - values.keys())
    if values and missing:
        raise validation(f"Cannot find parameter: {missing[0]}")


def mark(sql: Sql, values: Mapping[str, str]) -> Sql:
    """The statement with every `:name` under a name that DuckDB takes, `:p_name`."""
    found = placeholders(sql.words)
    if not found:
        return sql
    if not values:
        raise syntax_error(":")
    pieces = []
    position = 0
    for name, colon, last in found:
        pieces.append(sql.text[position : colon.start] + f":{_MARK}{name}")
        position = last.end + 1
    return read("".join(pieces) + sql.text[position:])


def bindings(values: Mapping[str, str], used: Sequence[str]) -> dict[str, str]:
    """What DuckDB is to be given for the marked names that a statement uses."""
    return {name: values[name.removeprefix(_MARK)] for name in used}
