"""Checks: all that a record can fail, numbered, and counted per job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock_job.column import Column
from penstock_job.join import REJECT as REJECT_UNMATCHED
from penstock_job.join import Join
from penstock_job.lookup import Lookup
from penstock_job.rule import FOREIGN_KEY, REJECT, UNIQUE, Rule
from penstock_job.rule_sql import spoken
from penstock_job.specification import Specification

TYPE, JOIN = "type", "join"
BITS = 62
"""The checks whose bits one mask has: as many as a BIGINT can have without thinking of its sign."""


@dataclass(frozen=True)
class Check:
    """One thing that is counted per job: that a column can be read, a rule, or a join's match."""

    number: int
    text: str
    severity: str
    rule: Rule | None = None
    lookup: Lookup | None = None
    column: str = ""

    @property
    def label(self) -> str:
        """The check in a count by rule: `type(cases)`, `join(products)`, `unique(state, date)`."""
        if self.rule is not None:
            about = ", ".join(self.rule.columns) or self.text
        else:
            about = self.lookup.name if self.lookup is not None else self.column
        return f"{self.kind}({about})"

    @property
    def flag(self) -> str:
        """The column that says whether a record fails this check."""
        return f"penstock_check_{self.number}"

    @property
    def mask(self) -> str:
        """The column of the judged records that has the bit of this check."""
        return f"penstock_failed_{self.number // BITS}"

    @property
    def bit(self) -> int:
        """The number that is added to the mask of a record that fails this check."""
        return 1 << self.number % BITS

    @property
    def is_failed(self) -> str:
        """The condition that a judged record fails this check."""
        return f"(({self.mask} & {self.bit}) <> 0)"

    @property
    def kind(self) -> str:
        """What the check is called in a reject: the rule's name, `type` or `join`."""
        if self.rule is not None:
            return self.rule.name
        return TYPE if self.lookup is None else JOIN

    @property
    def is_comparison(self) -> bool:
        """Whether the check compares a record with the others."""
        return self.kind == UNIQUE


def checks_of(
    specification: Specification, columns: Sequence[Column], lookups: Sequence[Lookup]
) -> tuple[Check, ...]:
    """One check per column, in their order; then the joins that reject; then the rules."""
    keys = {id(look.origin): look for look in lookups}
    described: list[tuple[str, str, Rule | None, Lookup | None, str]] = [
        (f"{column.name} is not {column.type.spoken}", REJECT, None, None, column.name)
        for column in columns
    ]
    for look in lookups:
        if isinstance(look.origin, Join) and look.origin.unmatched == REJECT_UNMATCHED:
            ours = " and ".join(name for name, _ in look.on)
            described.append((f"{ours} has no match in {look.name}", REJECT, None, look, ""))
    for rule in specification.rules:
        look_of_rule = keys[id(rule)] if rule.name == FOREIGN_KEY else None
        described.append((spoken(rule), rule.severity, rule, look_of_rule, ""))
    return tuple(Check(number, *each) for number, each in enumerate(described))
