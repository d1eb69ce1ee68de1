"""The example category on this machine: its parameters, its rows, its sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock_cli import applying, row_files, sample_sources
from penstock_cli.local_instance import Instance
from penstock_cli.run_view import Runs

ROWS = Path("jobs/daily_covid.yaml")
WORKGROUP = "penstock"
DATABASE = "dev"
LOADED_TABLE = "public.daily_cases"
TOTALS = (
    "SELECT COUNT(*) AS n, SUM(cases) AS cases, SUM(deaths) AS deaths,"
    " SUM(recovered) AS recovered FROM public.daily_cases"
)
FIRST_ROWS = "SELECT * FROM public.daily_cases ORDER BY date LIMIT 5"

Item = dict[str, Any]


@contextmanager
def sources(data: Path | None) -> Iterator[str]:
    """Serve the sources' CSV files over loopback: a folder's, or a sample made here."""
    with sample_sources.serve(data) as url:
        yield url


def apply_rows(instance: Instance, outputs: dict[str, str], source_url: str) -> list[Item]:
    """Write the example's rows, their sources replaced by files of the same name at a URL."""
    items = [with_source(item, source_url) for item in row_files.load([ROWS])]
    table = control_table(instance, outputs)
    changes = applying.differences(table, items)
    applying.write(table.meta.client, table.name, [c for c in changes if c.is_needed])
    return items


def with_source(item: Item, source_url: str) -> Item:
    """The same row, reading the file of the same name at another URL."""
    arguments = item.get("Arguments") or {}
    if "source_url" not in arguments:
        return item
    name = arguments["source_url"].rsplit("/", 1)[-1]
    return {**item, "Arguments": {**arguments, "source_url": f"{source_url}/{name}"}}


def runs(instance: Instance, outputs: dict[str, str]) -> Runs:
    """The runs of a deployed stack."""
    clients = instance.client("dynamodb"), instance.client("s3")
    return Runs(*clients, outputs["RunTable"], outputs["DataBucket"])


def control_table(instance: Instance, outputs: dict[str, str]) -> Any:
    """The control table of a deployed stack."""
    return instance.table(outputs["ControlTable"])
