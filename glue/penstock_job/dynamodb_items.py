"""Items in DynamoDB's JSON, rendered by DuckDB a column at a time.

Rendering in SQL spares Python an object for every attribute: most of a load's time otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
)
from penstock_job.dialect import DUCKDB
from penstock_job.dynamodb_table import KeyAttribute
from penstock_job.errors import LoadError

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
# A number has at most 38 digits, as have our types, and a magnitude between these two.
SMALLEST_NUMBER, TOO_GREAT_NUMBER = "1e-130", "1e126"
MOST_ITEM_BYTES = 400 * 1024
MOST_NUMBER_BYTES = 21
_ATTRIBUTE_TYPES = {
    **dict.fromkeys((INTEGER, DECIMAL, DOUBLE), "N"),
    **dict.fromkeys((TEXT, DATE, TIMESTAMP), "S"),
    BOOLEAN: "BOOL",
    BINARY: "B",
}


def put_request_sql(schema: Mapping[str, ColumnType], complete: Collection[str]) -> str:
    """An expression for the UTF-8 text of the put request of a whole item.

    A missing value makes no attribute. `complete` are the columns, one at least, in which no value
    is missing: these are joined in one go, which takes half the time.
    """
    names = sorted(schema, key=lambda name: name not in complete)
    parts = [DUCKDB.literal('{"PutRequest":{"Item":{')]
    for position, name in enumerate(names):
        pieces = _attribute(name, schema[name], "," if position else "")
        # `||` makes nothing of nothing, which `concat` then leaves out.
        parts += pieces if name in complete else [" || ".join(pieces)]
    parts.append(DUCKDB.literal("}}}"))
    return f"encode(concat({', '.join(parts)}))"


def unstorable_cases(
    schema: Mapping[str, ColumnType], keys: Sequence[KeyAttribute]
) -> list[tuple[str, str]]:
    """Conditions for records that DynamoDB does not store, each with its reason.

    `keys` are those of the table and of its indexes. Whether they are of the right type is a
    question of the columns, not of the records.
    """
    cases = []
    for key in keys:
        kind = schema.get(key.name)
        if kind is None or attribute_type(kind) == "N":
            continue
        length = _bytes(DUCKDB.identifier(key.name), kind)
        if key.of_index:
            cases.append((f"{length} = 0", f"{key.name}, a key of an index, is empty"))
        cases.append(
            (f"{length} > {key.most_bytes}", f"the key {key.name} has over {key.most_bytes} bytes")
        )
    for name, kind in schema.items():
        if kind.kind == DOUBLE:
            size = f"abs({DUCKDB.identifier(name)})"
            held = f"{size} = 0 OR {size} BETWEEN {SMALLEST_NUMBER} AND {TOO_GREAT_NUMBER}"
            held = f"({held}) AND {size} < {TOO_GREAT_NUMBER}"
            cases.append((f"NOT coalesce({held}, TRUE)", "a number that DynamoDB does not hold"))
    if any(kind.kind in (TEXT, BINARY) for kind in schema.values()):
        cases.append((_oversized(schema), f"the item has over {MOST_ITEM_BYTES} bytes"))
    return cases


def attribute_type(kind: ColumnType) -> str:
    """DynamoDB's one-letter type (or BOOL) of a column. Raises LoadError where it has none."""
    if kind.kind not in _ATTRIBUTE_TYPES:
        raise LoadError(f"a column of type {kind} cannot be loaded into DynamoDB")
    return _ATTRIBUTE_TYPES[kind.kind]


def _attribute(name: str, kind: ColumnType, separator: str) -> list[str]:
    """The pieces of an attribute's JSON: what opens it, its value, what closes it."""
    tag = attribute_type(kind)
    quote = "" if kind.kind in (TEXT, BOOLEAN) else '"'
    opening = f'{separator}{json.dumps(name, ensure_ascii=False)}:{{"{tag}":{quote}'
    value = f"to_json({_text(DUCKDB.identifier(name), kind)})" if kind.kind == TEXT else ""
    value = value or _text(DUCKDB.identifier(name), kind)
    return [DUCKDB.literal(opening), value, DUCKDB.literal(f"{quote}}}")]


def _text(column: str, kind: ColumnType) -> str:
    """A value as DynamoDB gets it, before it is escaped."""
    if kind.kind == TIMESTAMP:
        return f"{DUCKDB.timestamp_text(column)} || 'Z'"
    if kind.kind == BINARY:
        return f"to_base64({column})"
    return f"CAST({column} AS VARCHAR)"


def _bytes(column: str, kind: ColumnType) -> str:
    if kind.kind == BINARY:
        return f"octet_length({column})"
    return f"strlen({_text(column, kind)})"


def _oversized(schema: Mapping[str, ColumnType]) -> str:
    """A condition for items over the limit, by DynamoDB's own rule.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    The name and the UTF-8 text of each attribute; a number takes a byte for two significant digits
    and one more. The first, quick condition is true of the few records that are worth the second.
    """
    lengths = [
        _bytes(DUCKDB.identifier(name), kind)
        for name, kind in schema.items()
        if kind.kind in (TEXT, BINARY)
    ]
    at_most = sum(len(name.encode()) + 32 for name in schema)
    quick = " + ".join(f"coalesce({length}, 0)" for length in lengths)
    exact = " + ".join(_attribute_bytes(name, kind) for name, kind in schema.items())
    return (
        f"CASE WHEN {quick} + {at_most} > {MOST_ITEM_BYTES} "
        f"THEN {exact} > {MOST_ITEM_BYTES} ELSE FALSE END"
    )


def _attribute_bytes(name: str, kind: ColumnType) -> str:
    column = DUCKDB.identifier(name)
    tag = attribute_type(kind)
    if tag == "BOOL":
        value = "1"
    elif tag in ("S", "B"):
        value = _bytes(column, kind)
    else:
        mantissa = f"regexp_replace({_text(column, kind)}, '[eE].*|[^0-9]', '', 'g')"
        digits = f"length(trim({mantissa}, '0'))"
        value = f"least({MOST_NUMBER_BYTES}, 1 + ({digits} + 1) // 2)"
    size = f"{len(name.encode())} + {value}"
    return f"CASE WHEN {column} IS NULL THEN 0 ELSE {size} END"
