"""The same work as a PySpark script, as one writes it by hand: two writes from one reading each."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession

from trips.data import COLUMNS, PAYMENTS
from trips.pipeline import MOST_PASSENGERS, TYPES
from trips.spark_session import local_session

SQL_TYPES = {"integer": "BIGINT", "text": "STRING"}


def main(session: SparkSession, trips: Path, zones: Path, output: Path) -> None:
    """Write the good trips and the bad ones."""
    schema = ", ".join([*(f"{name} STRING" for name in COLUMNS), "corrupt STRING"])
    frame = session.read.csv(
        str(trips), schema=schema, header=True, columnNameOfCorruptRecord="corrupt"
    )
    frame.createOrReplaceTempView("raw")
    zone_frame = session.read.csv(
        str(zones), schema="zone BIGINT, borough STRING, name STRING", header=True
    )
    zone_frame.createOrReplaceTempView("zones")
    typed = ", ".join(
        f"try_cast({name} AS {SQL_TYPES.get(kind, kind)}) AS {name}_"
        for name, kind in TYPES.items()
    )
    unread = " ".join(
        f"WHEN {name}_ IS NULL THEN '{name} is missing or unreadable'" for name in COLUMNS
    )
    session.sql(
        f"SELECT *, CASE WHEN corrupt IS NOT NULL THEN 'malformed' {unread} "
        "WHEN dropoff_at_ <= pickup_at_ THEN 'the dropoff is not after the pickup' "
        f"WHEN passengers_ NOT BETWEEN 0 AND {MOST_PASSENGERS} THEN 'passengers' "
        f"WHEN payment_ NOT IN {PAYMENTS} THEN 'payment' END AS reason "
        f"FROM (SELECT *, {typed} FROM raw)"
    ).createOrReplaceTempView("judged")
    own = ", ".join(f"{name}_ AS {name}" for name in COLUMNS)
    joined = ", ".join(
        f"{end}.borough AS {end}_borough, {end}.name AS {end}_name" for end in ("pickup", "dropoff")
    )
    session.sql(
        f"SELECT {own}, {joined} FROM judged "
        "JOIN zones AS pickup ON pickup.zone = pickup_zone_ "
        "JOIN zones AS dropoff ON dropoff.zone = dropoff_zone_ "
        "WHERE reason IS NULL AND distance_ > 0"
    ).write.mode("overwrite").parquet(str(output / "trips"))
    session.sql(
        f"SELECT reason, corrupt, {', '.join(COLUMNS)} FROM judged "
        "WHERE corrupt IS NOT NULL OR (reason IS NOT NULL AND NOT coalesce(distance_ <= 0, FALSE))"
    ).write.mode("overwrite").json(str(output / "rejects"))


if __name__ == "__main__":
    main(local_session(), *map(Path, sys.argv[1:4]))
