"""The same work as a script for DuckDB alone: no records of the run, no account of its rows."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from trips.data import COLUMNS, PAYMENTS
from trips.pipeline import MOST_PASSENGERS, TYPES

SQL_TYPES = {"integer": "BIGINT", "text": "VARCHAR"}
JOINED = ", ".join(
    f"{end}.borough AS {end}_borough, {end}.name AS {end}_name" for end in ("pickup", "dropoff")
)


def main(trips: Path, zones: Path, output: Path) -> None:
    """Write the good trips and the bad ones; the file is parsed once for each."""
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    read = (
        f"read_csv('{trips}', columns = {{{columns}}}, auto_detect = false, header = true, "
        "delim = ',', quote = '\"', escape = '\"', store_rejects = true, rejects_limit = 0)"
    )
    typed = ", ".join(
        f"try_cast({name} AS {SQL_TYPES.get(kind, kind)}) AS {name}_"
        for name, kind in TYPES.items()
    )
    unread = " ".join(
        f"WHEN {name}_ IS NULL OR {name} = '' THEN '{name} is missing or unreadable'"
        for name in COLUMNS
    )
    reason = (
        f"CASE {unread} WHEN dropoff_at_ <= pickup_at_ THEN 'the dropoff is not after the pickup' "
        f"WHEN passengers_ NOT BETWEEN 0 AND {MOST_PASSENGERS} THEN 'passengers' "
        f"WHEN payment_ NOT IN {PAYMENTS} THEN 'payment' END"
    )
    judged = f"SELECT *, {reason} AS reason FROM (SELECT *, {typed} FROM {read}) AS typed"
    own = ", ".join(f"{name}_ AS {name}" for name in COLUMNS)
    raw = ", ".join(COLUMNS)
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '600MB'")
        connection.execute(
            "CREATE TABLE zones AS SELECT CAST(zone AS BIGINT) AS zone, borough, name "
            f"FROM read_csv('{zones}', all_varchar = true)"
        )
        connection.execute(
            f"COPY (SELECT {own}, {JOINED} FROM ({judged}) AS trips "
            "JOIN zones AS pickup ON pickup.zone = pickup_zone_ "
            "JOIN zones AS dropoff ON dropoff.zone = dropoff_zone_ "
            f"WHERE reason IS NULL AND distance_ > 0) TO '{output / 'trips.parquet'}' "
            "(FORMAT parquet)"
        )
        connection.execute(
            f"COPY (SELECT reason, {raw} FROM ({judged}) AS trips WHERE reason IS NOT NULL "
            f"AND (distance_ > 0) IS NOT FALSE) TO '{output / 'rejects.json'}' (FORMAT json)"
        )
        connection.execute(
            "COPY (SELECT line, any_value(csv_line) FROM reject_errors WHERE scan_id = "
            "(SELECT max(scan_id) FROM reject_errors) GROUP BY line) "
            f"TO '{output / 'malformed.json'}' (FORMAT json)"
        )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
