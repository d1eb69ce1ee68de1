"""Loading DynamoDB: client CPU, requests and bytes of Penstock's load beside boto3's batch_writer.

First with the network stubbed in-process, right below what each sends: all of 1,000,000 items by
Penstock, 100,000 by boto3 and scaled. Then both against Penstock Local, where the client's share
is the CPU of its process. Each measurement is a process of its own, reading the same Parquet file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from penstock_cli import local_instance

HERE = Path(__file__).resolve().parent
TABLE = "orders"
BUCKET = "bench"
SCALED_ITEMS = 100_000
COLUMNS = """'order-' || lpad(range::VARCHAR, 12, '0') AS order_id,
    'customer-' || (range * 7919 % 100000) AS customer,
    CAST(range % 1000000 / 100.0 AS DECIMAL(12,2)) AS amount, range % 50 AS quantity,
    DATE '2026-01-01' + CAST(range % 365 AS INTEGER) AS ordered_on,
    TIMESTAMP '2026-01-01' + to_seconds(range) AS changed_at, range % 2 = 0 AS paid,
    md5(range::VARCHAR) AS note"""


def main() -> None:
    """Print the table, or the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--local-items", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = min(SCALED_ITEMS, arguments.items)
        figures = {
            "stubbed": {
                "penstock": measure("penstock", folder, arguments.items),
                "penstock_100k": measure("penstock", folder, small),
                "boto3": scaled(measure("boto3", folder, small), arguments.items),
            },
            "local": local(folder, arguments.local_items),
        }
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)


def show(figures: dict[str, dict[str, dict[str, float]]]) -> None:
    """One table per way of measuring."""
    for way, rows in figures.items():
        print(
            f"\n{way}\n{'loader':<16}{'items':>10}{'requests':>10}{'MB':>8}{'CPU s':>8}"
            f"{'peak MB':>9}"
        )
        for loader, one in rows.items():
            print(
                f"{loader:<16}{one['items']:>10,.0f}{one['requests']:>10,.0f}{one['mb']:>8,.0f}"
                f"{one['cpu_s']:>8.2f}{one['peak_mb']:>9,.0f}"
            )
        ratio = rows["boto3"]["cpu_s"] / rows["penstock"]["cpu_s"]
        print(f"boto3 takes {ratio:.1f} times the CPU")


def scaled(one: dict[str, float], items: int) -> dict[str, float]:
    """The figures of a measurement as of this number of items; the peak stays."""
    factor = items / one["items"]
    return {name: value * (1 if name == "peak_mb" else factor) for name, value in one.items()}


def measure(loader: str, folder: Path, items: int, **environment: str) -> dict[str, float]:
    """The figures of one loader, from a process of its own."""
    publish(folder, items)
    command = [sys.executable, str(HERE / "dynamodb_loaders.py"), loader, str(folder), str(items)]
    env = {
        **os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(HERE.parent / "glue"), **environment,
    }  # fmt: skip
    output = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    figures: dict[str, float] = json.loads(output)
    return figures


def publish(folder: Path, items: int) -> None:
    """What an upstream job would have published."""
    file = folder / BUCKET / f"part-{items}.parquet"
    manifest = folder / BUCKET / "d/Bench/orders/logical_date=2026-01-01/manifest.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        duckdb.sql(f"COPY (SELECT {COLUMNS} FROM range({items})) TO '{file}' (FORMAT parquet)")
    content = {"job_id": "bench", "attempt": 1, "files": [f"s3://{BUCKET}/{file.name}"],
               "columns": [], "rows": items}  # fmt: skip
    manifest.write_text(json.dumps(content))


def local(folder: Path, items: int) -> dict[str, dict[str, float]]:
    """Both loaders against Penstock Local, each with a table of its own."""
    instance = local_instance.start(folder / "local")
    try:
        figures = {}
        for loader in ("penstock", "boto3"):
            instance.client("dynamodb").create_table(
                TableName=TABLE,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "order_id", "AttributeType": "S"}],
            )
            figures[loader] = measure(loader, folder, items, **instance.environment(), REAL="1")
            count = instance.client("dynamodb").describe_table(TableName=TABLE)["Table"][
                "ItemCount"
            ]
            assert count == items, f"{loader} left {count} items"
            instance.client("dynamodb").delete_table(TableName=TABLE)
        return figures
    finally:
        instance.stop()


if __name__ == "__main__":
    main()
