"""The subject of a program: all that its statements are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock_job.check import Check
from penstock_job.column import Column
from penstock_job.column_type import ColumnType
from penstock_job.dialect import Dialect
from penstock_job.judged_table import FAULT, LINE
from penstock_job.lookup import Lookup
from penstock_job.rule import Rule
from penstock_job.specification import Specification


@dataclass(frozen=True)
class Subject:
    """What a program is compiled of: a specification, and the inputs that it is for."""

    specification: Specification
    columns: tuple[Column, ...]
    schema: Mapping[str, ColumnType]
    lookups: tuple[Lookup, ...]
    checks: tuple[Check, ...]
    dialect: Dialect
    has_lines: bool
    is_numbered: bool

    @property
    def lines(self) -> list[str]:
        """The columns of a line that may be no record."""
        return [LINE, FAULT] if self.has_lines else []

    @property
    def types(self) -> dict[str, ColumnType]:
        """The columns of the result, those of joins included."""
        own = {column.name: column.type for column in self.columns}
        return {**own, **{n: t for look in self.lookups for n, t in look.columns.items()}}

    def rule_checks(self, *, comparisons: bool) -> list[tuple[Check, Rule]]:
        """The checks that are rules, either those that compare records or the others."""
        return [
            (check, check.rule)
            for check in self.checks
            if check.rule is not None and check.is_comparison is comparisons
        ]

    def name(self, name: str) -> str:
        """A name, quoted."""
        return self.dialect.identifier(name)

    def is_read(self, names: Sequence[str]) -> list[str]:
        """That the values of these columns could be read: one fault, one reason."""
        flags = {column.name: check.flag for column, check in zip(self.columns, self.checks)}
        return [f"NOT {flags[name]}" for name in names if name in flags]
