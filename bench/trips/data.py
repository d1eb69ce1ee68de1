"""The trips and the zones: the same bytes for the same number of rows, whatever runs first."""

from __future__ import annotations

from pathlib import Path

import duckdb

COLUMNS = (
    "trip_id", "vendor", "pickup_at", "dropoff_at", "passengers", "distance",
    "pickup_zone", "dropoff_zone", "payment", "fare", "tip", "total",
)  # fmt: skip
ZONES = 265
PAYMENTS = ("1", "2", "3", "4")

# Of ten thousand trips, 43 have each of these faults: 3.01 % in seven kinds.
EACH = 43
KINDS = (
    "a vendor is missing",
    "a pickup on 30 February",
    "a dropoff before the pickup",
    "-1 passengers",
    "an unknown payment",
    "a total that is no number",
    "a line that ends too early",
)

_BASE = """
SELECT range AS n,
       hash(range, 1) % 10000 // {each} AS fault,
       TIMESTAMP '2026-01-01' + to_seconds(CAST(hash(range, 2) % 2419200 AS BIGINT)) AS pickup,
       60 + CAST(hash(range, 3) % 3600 AS BIGINT) AS seconds,
       1 + hash(range, 4) % 6 AS passengers,
       CASE WHEN hash(range, 5) % 50 = 0 THEN 0 ELSE 3 + hash(range, 6) % 200 END AS tenths,
       1 + hash(range, 7) % {zones} AS pickup_zone,
       1 + hash(range, 8) % {zones} AS dropoff_zone,
       {payments}[1 + CAST(hash(range, 9) % 4 AS INTEGER)] AS payment,
       250 + 30 * (hash(range, 6) % 200) AS fare,
       hash(range, 10) % 1000 AS tip
FROM range({rows})
"""
_FIELDS = """
SELECT n, fault,
       CAST(n AS VARCHAR) AS trip_id,
       CASE WHEN fault = 0 THEN '' WHEN n % 2 = 0 THEN '1' ELSE '2' END AS vendor,
       CASE WHEN fault = 1 THEN '2026-02-30 10:00:00'
            ELSE strftime(pickup, '%Y-%m-%d %H:%M:%S') END AS pickup_at,
       strftime(pickup + to_seconds(CASE WHEN fault = 2 THEN -seconds ELSE seconds END),
                '%Y-%m-%d %H:%M:%S') AS dropoff_at,
       CASE WHEN fault = 3 THEN '-1' ELSE CAST(passengers AS VARCHAR) END AS passengers,
       CAST(CAST(tenths / 10 AS DECIMAL(8,1)) AS VARCHAR) AS distance,
       CASE WHEN fault = 4 THEN '9' ELSE payment END AS payment,
       CAST(pickup_zone AS VARCHAR) AS pickup_zone, CAST(dropoff_zone AS VARCHAR) AS dropoff_zone,
       CAST(CAST(fare / 100 AS DECIMAL(8,2)) AS VARCHAR) AS fare,
       CAST(CAST(tip / 100 AS DECIMAL(8,2)) AS VARCHAR) AS tip,
       CASE WHEN fault = 5 THEN 'n/a'
            ELSE CAST(CAST((fare + tip) / 100 AS DECIMAL(8,2)) AS VARCHAR) END AS total
FROM base
"""


def make_trips(folder: Path, rows: int) -> Path:
    """The file of so many trips, made unless it is there."""
    file = folder / f"trips-{rows}.csv"
    if not file.exists():
        base = _BASE.format(each=EACH, zones=ZONES, payments=list(PAYMENTS), rows=rows)
        short, whole = ", ".join(COLUMNS[:7]), ", ".join(COLUMNS)
        line = f"CASE WHEN fault = 6 THEN concat_ws(',', {short}) ELSE concat_ws(',', {whole}) END"
        select = f"WITH base AS ({base}), fields AS ({_FIELDS}) SELECT {line} FROM fields"
        _write_lines(select, ",".join(COLUMNS), file)
    return file


def make_zones(folder: Path) -> Path:
    """The file of the zones: number, borough, name."""
    file = folder / "zones.csv"
    boroughs = "['Bronx', 'Brooklyn', 'Manhattan', 'Queens', 'Staten Island']"
    select = (
        f"SELECT concat_ws(',', range + 1, {boroughs}[1 + range % 5], 'Zone ' || (range + 1)) "
        f"FROM range({ZONES})"
    )
    if not file.exists():
        _write_lines(select, "zone,borough,name", file)
    return file


def _write_lines(select: str, header: str, file: Path) -> None:
    """Write a text a line; the file appears when it is whole."""
    unfinished = file.with_suffix(".unfinished")
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM ({select}) AS lines({header.partition(',')[0]})) "
            f"TO '{unfinished}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
        )
    with unfinished.open("rb") as body, file.with_suffix(".headed").open("wb") as whole:
        whole.write(f"{header}\n".encode())
        while block := body.read(1 << 24):
            whole.write(block)
    unfinished.unlink()
    file.with_suffix(".headed").rename(file)
