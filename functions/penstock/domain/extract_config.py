"""The extract config: which tables are extracted from which sources, and how.

Its shape is checked before (`adapters/extract_config_file.py`, by the JSON Schema); here is what
the shape cannot say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DEFAULT_CATEGORY: Final = "Extract"
DEFAULT_TARGET_MINUTES: Final = 10.0
SHIPPED_JOB: Final = "{stack}-extract-tables"
SHIPPED_SPARK_JOB: Final = "{stack}-extract-tables-spark"
"""The Glue jobs that extract where the config names none."""
SPARK_SOURCES: Final = ("postgresql",)
"""What the Spark job that ships can read."""
DATABASES: Final = ("postgresql", "mysql")
TYPICAL_SECONDS: Final = 20.0
"""Assumed of a table that nobody has said anything about: connecting, reading, writing a little."""
ROWS_PER_SECOND: Final = 200_000
SECONDS_PER_TABLE: Final = 2.0
"""What a table costs however few rows it has: a query, a file, an entry of the catalog."""


class InvalidExtractConfigError(InvalidRequestError):
    """The extract config or the event cannot be used; the message lists every problem by path."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where tables come from; `connection` is what the extract job is told of it."""

    name: str
    kind: str
    connection: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExtractTable:
    """One table with all that holds for it; `settings` is free of defaults still to be applied."""

    source: Source
    table: str
    settings: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Return the name that is unique in the config: `shop/public.orders`."""
        return f"{self.source.name}/{self.table}"

    @property
    def mode(self) -> str:
        """Return `full` or `incremental`."""
        return str(self.settings.get("mode", "full"))

    @property
    def job_type(self) -> str:
        """Return the JobType of a control row; `glue` is Spark if it has workers."""
        stated = str(self.settings.get("job_type", "glue"))
        if stated != "glue":
            return stated
        has_workers = "worker_type" in self.settings or "number_of_workers" in self.settings
        return "spark" if has_workers else "python_shell"

    @property
    def target(self) -> str:
        """Return what runs the extract; empty where nothing that ships can."""
        stated = self.settings.get("targets", {}).get(self.job_type) or self.settings.get("target")
        return str(stated or self._shipped)

    @property
    def _shipped(self) -> str:
        if self.job_type == "spark" and self.source.kind in SPARK_SOURCES:
            return SHIPPED_SPARK_JOB
        return SHIPPED_JOB if self.job_type == "python_shell" else ""

    @property
    def partitions(self) -> int | None:
        """Return how many ranges are read side by side, if that is said: by default the workers."""
        stated = self.settings.get("partitions")
        if stated is None and "partition_column" in self.settings:
            stated = self.settings.get("number_of_workers")
        return stated

    @property
    def expected_seconds(self) -> float:
        """Return how long the extract will probably take, for packing and for priority."""
        if "expected_seconds" in self.settings:
            return float(self.settings["expected_seconds"])
        if "expected_rows" in self.settings:
            return SECONDS_PER_TABLE + float(self.settings["expected_rows"]) / ROWS_PER_SECOND
        return TYPICAL_SECONDS


@dataclass(frozen=True, slots=True)
class ExtractConfig:
    """A config that can be used."""

    category: str
    target_seconds: float
    tables: tuple[ExtractTable, ...]


def extract_config(document: Mapping[str, Any]) -> ExtractConfig:
    """Read a document of the right shape; raise InvalidExtractConfigError with every problem."""
    problems = list(_repeated_sources(document["sources"]))
    tables: list[ExtractTable] = []
    for number, stated in enumerate(document["sources"]):
        place = f"sources[{number}]"
        found = _tables_of(stated, document.get("defaults", {}))
        problems += _problems_of_address(stated, place)
        problems += _repeated_tables(found, place)
        for position, table in enumerate(found):
            problems += problems_of(table, f"{place}.tables[{position}]")
        tables += found
    if problems:
        raise InvalidExtractConfigError(in_lines("the extract config cannot be used", problems))
    minutes = float(document.get("target_minutes", DEFAULT_TARGET_MINUTES))
    category = str(document.get("category", DEFAULT_CATEGORY))
    return ExtractConfig(category, minutes * 60, tuple(tables))


def problems_of(table: ExtractTable, place: str) -> Iterable[str]:
    """Yield what is wrong with a table's settings taken together, each with its path."""
    for field, problem in (*_problems_of_mode(table), *_problems_of_job(table)):
        yield f"{place}.{field}: {problem}"


def in_lines(title: str, problems: Sequence[str], most: int = 20) -> str:
    """Return the problems one to a line; of very many, the first."""
    left = len(problems) - most
    more = [f"… and {left} more"] if left > 0 else []
    return "\n  ".join([f"{title}, so nothing was started:", *problems[:most], *more])


def _problems_of_mode(table: ExtractTable) -> Iterable[tuple[str, str]]:
    if table.mode != "incremental":
        return
    if table.source.kind == "http_csv":
        yield "mode", "is incremental, but a file is read whole or, unchanged, not at all: use full"
        return
    if table.source.kind == "s3":
        yield from _problems_of_objects(table)
        return
    if table.settings.get("drift") == "accept":
        yield "drift", "is accept, which replaces the whole table: it needs mode full"
    for field in ("cursor", "primary_key"):
        if not table.settings.get(field):
            yield field, "is missing; mode incremental needs it"


def _problems_of_job(table: ExtractTable) -> Iterable[tuple[str, str]]:
    stated = [name for name in ("worker_type", "number_of_workers") if name in table.settings]
    if not table.target:
        yield "target", f"is missing; the {table.job_type} job that extracts has to be named"
    if table.job_type == "spark" and len(stated) == 1:
        yield stated[0], "needs worker_type and number_of_workers, both or neither"
    elif table.job_type == "spark" and table.settings.get("number_of_workers") == 1:
        yield "number_of_workers", "is 1, but a Glue job with Spark has 2 workers at least"
    elif table.job_type == "python_shell" and stated:
        yield stated[0], "a python_shell job has no Glue workers; use spark"


def _problems_of_objects(table: ExtractTable) -> Iterable[tuple[str, str]]:
    """Increments of objects need no key: each object is read once. With one, rows replace rows."""
    fields = ("cursor", "primary_key")
    stated = [field for field in fields if table.settings.get(field)]
    if len(stated) == 1:
        (other,) = set(fields) - set(stated)
        yield other, f"is missing; {stated[0]} has a meaning only with it"


def _tables_of(stated: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[ExtractTable]:
    own = ("name", "type", "tables", "defaults")
    connection = {name: value for name, value in stated.items() if name not in own}
    if stated["type"] in DATABASES:
        connection = {"tls": True, **connection}
    source = Source(stated["name"], stated["type"], connection)
    general = {**defaults, **stated.get("defaults", {})}
    tables = []
    for entry in stated["tables"]:
        particular = {"table": entry} if isinstance(entry, str) else dict(entry)
        name = particular.pop("table")
        tables.append(ExtractTable(source, name, {**general, **particular}))
    return tables


def _problems_of_address(source: Mapping[str, Any], place: str) -> Iterable[str]:
    if len(source["tables"]) > 1 and "{table}" not in source.get("url", "{table}"):
        yield f"{place}.url: has no {{table}} in it, so that all tables would be the same file"


def _repeated_sources(sources: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    counts = Counter(source["name"] for source in sources)
    for name, count in counts.items():
        if count > 1:
            yield f"sources: the name {name!r} stands there {count} times"


def _repeated_tables(tables: Sequence[ExtractTable], place: str) -> Iterable[str]:
    counts = Counter(table.table for table in tables)
    for name, count in counts.items():
        if count > 1:
            yield f"{place}.tables: {name!r} stands there {count} times"
