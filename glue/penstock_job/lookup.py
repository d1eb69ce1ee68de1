"""SQL for the lookup tables that joins and foreign keys look into.

Each becomes a table with one row per key: `penstock_key_<n>`, the columns that a join takes over,
and `penstock_found`, which is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock_job.column_type import DECIMAL, INTEGER, ColumnType
from penstock_job.dialect import Dialect
from penstock_job.errors import SpecificationError
from penstock_job.join import Join
from penstock_job.rule import FOREIGN_KEY, Preference, Rule
from penstock_job.specification import Specification

Schemas = Mapping[str, Mapping[str, ColumnType]]


@dataclass(frozen=True)
class Lookup:
    """One look into another input: the record's columns, those of the input, and what is taken.

    `takes` are pairs of (name in the result, column of the input).
    """

    number: int
    name: str
    on: tuple[tuple[str, str], ...]
    takes: tuple[tuple[str, str], ...]
    types: Mapping[str, ColumnType]
    keep: Preference | None
    origin: Join | Rule

    @property
    def table(self) -> str:
        """The table of one row per key."""
        return f"penstock_lookup_{self.number}"

    @property
    def found(self) -> str:
        """The column that says whether a record has found a row."""
        return f"penstock_found_{self.number}"

    @property
    def columns(self) -> Mapping[str, ColumnType]:
        """The columns that a record gets, with their types."""
        return {name: self.types[column] for name, column in self.takes}

    @property
    def may_repeat(self) -> bool:
        """Whether a repeated key is a fault of the input: nothing says which row is taken."""
        return isinstance(self.origin, Join) and self.keep is None

    def statement(self, dialect: Dialect) -> str:
        """The select that makes `table` of the input."""
        name = dialect.identifier
        keys = [name(theirs) for _, theirs in self.on]
        made = [f"{key} AS penstock_key_{position}" for position, key in enumerate(keys)]
        made += [f"{name(column)} AS {name(own)}" for own, column in self.takes]
        present = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        rows = f"SELECT * FROM {name(self.name)} WHERE {present}"
        if self.keep is not None:
            window = f"PARTITION BY {', '.join(keys)} ORDER BY {self._order(dialect)}"
            ranked = (
                f"SELECT *, row_number() OVER ({window}) AS penstock_rank FROM ({rows}) AS kept"
            )
            rows = f"SELECT * FROM ({ranked}) AS ranked WHERE penstock_rank = 1"
        distinct = "DISTINCT " if isinstance(self.origin, Rule) else ""
        return f"SELECT {distinct}{', '.join(made)}, TRUE AS penstock_found FROM ({rows}) AS lookup"

    def repeated(self) -> str:
        """The select that counts the keys which are there more than once."""
        keys = ", ".join(f"penstock_key_{position}" for position in range(len(self.on)))
        return (
            f"SELECT count(*) AS repeated FROM (SELECT {keys} FROM {self.table} "
            f"GROUP BY {keys} HAVING count(*) > 1) AS repeats"
        )

    def join(self, dialect: Dialect) -> str:
        """The part of a FROM clause that joins the table to `records`."""
        conditions = " AND ".join(
            f"records.{dialect.identifier(ours)} = {self.table}.penstock_key_{position}"
            for position, (ours, _) in enumerate(self.on)
        )
        return f"LEFT JOIN {self.table} ON {conditions}"

    def taken(self, dialect: Dialect) -> list[str]:
        """The columns that a joined select takes over."""
        return [
            f"{self.table}.{dialect.identifier(name)} AS {dialect.identifier(name)}"
            for name, _ in self.takes
        ]

    def selected(self, dialect: Dialect) -> list[str]:
        """All that the joined select takes of the table."""
        found = f"coalesce({self.table}.penstock_found, FALSE) AS {self.found}"
        return [*self.taken(dialect), found]

    def _order(self, dialect: Dialect) -> str:
        assert self.keep is not None
        way = "DESC" if self.keep.descending else "ASC"
        first = f"{dialect.identifier(self.keep.column)} {way} NULLS LAST"
        # Ties are broken by the whole row, so that both engines take the same one.
        ties = [f"{dialect.identifier(column)} ASC NULLS FIRST" for column in self.types]
        return ", ".join([first, *ties])


def lookups_of(
    specification: Specification, own: Mapping[str, ColumnType], schemas: Schemas
) -> list[Lookup]:
    """The lookups of a specification; `own` are the types of the record's columns.

    Raises SpecificationError where a column is missing or keys are of different types.
    """
    looks = [(join.lookup, join.on, join.columns, join.keep, join) for join in specification.joins]
    looks += [
        (rule.options["references"], tuple(zip(rule.columns, rule.key)), (), None, rule)  # type: ignore[misc]
        for rule in specification.rules
        if rule.name == FOREIGN_KEY
    ]
    found = []
    for number, (name, on, takes, keep, origin) in enumerate(looks):
        types = schemas[name]
        lookup = Lookup(number, name, on, takes, types, keep, origin)
        sought = [column for _, column in (*on, *takes)] + ([keep.column] if keep else [])
        _require_columns(name, sought, types)
        _require_same_types(lookup, own)
        found.append(lookup)
    return found


def _require_columns(name: str, sought: Sequence[str], types: Mapping[str, ColumnType]) -> None:
    for column in sought:
        if column not in types:
            raise SpecificationError(
                f"{name} has no column {column}; it has {', '.join(sorted(types))}"
            )


def _require_same_types(lookup: Lookup, own: Mapping[str, ColumnType]) -> None:
    for ours, theirs in lookup.on:
        kinds = own[ours].kind, lookup.types[theirs].kind
        if len(set(kinds)) > 1 and not set(kinds) <= {INTEGER, DECIMAL}:
            raise SpecificationError(
                f"column {ours} is {own[ours]}, but {theirs} of {lookup.name} is "
                f"{lookup.types[theirs]}; give them one type"
            )
