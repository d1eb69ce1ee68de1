"""What a job is to make of its input: columns with types and rules, joins, a filter, a SQL select.

One specification, whichever engine runs it. It is checked whole before anything is read, and
everything that is wrong with it is told at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_job.column import Column, read_columns
from penstock_job.errors import SpecificationError
from penstock_job.join import Join, read_joins
from penstock_job.problems import Problems, read_list, read_text, read_texts, require_known
from penstock_job.rule import FOREIGN_KEY, Rule, read_ratio, read_rules
from penstock_job.table_rule import NO_TABLE_RULES, TableRules, read_table_rules

KEYS = ("columns", "nulls", "rules", "join", "filter", "select", "max_reject_ratio")


@dataclass(frozen=True)
class Specification:
    """Columns, rules, joins, filter and select.

    No columns: the input's columns are taken as they are. The joins, the rules and the filter
    judge the records of the main input; the select sees those accepted, with the columns that the
    joins gave them, and the other inputs as published.
    """

    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    joins: tuple[Join, ...] = ()
    filter: str | None = None
    select: str | None = None
    max_reject_ratio: float | None = None
    table_rules: TableRules = NO_TABLE_RULES

    @property
    def lookups(self) -> list[str]:
        """The other inputs that the joins and the rules need, each once."""
        keys = [rule for rule in self.rules if rule.name == FOREIGN_KEY]
        named = [join.lookup for join in self.joins] + [rule.options["references"] for rule in keys]
        return list(dict.fromkeys(named))


def read_specification(document: Mapping[str, Any]) -> Specification:
    """The specification in a document such as a YAML file holds.

    Raises SpecificationError, naming everything that is wrong by its path.
    """
    problems = Problems()
    problems.read("specification", lambda: require_known(document, KEYS, "it"))
    lists = {
        name: entries
        for name in ("columns", "rules", "join")
        for entries in problems.read(name, lambda name=name: read_list(document.get(name), name))  # type: ignore[misc]
    }
    nulls = problems.read("nulls", lambda: read_texts(document.get("nulls"), "nulls"))
    columns, rules = read_columns(lists.get("columns", []), nulls[0] if nulls else (), problems)
    own_rules = read_rules(lists.get("rules", []), None, "rules", problems)
    specification = Specification(
        columns=tuple(columns),
        rules=tuple(rules + own_rules),
        joins=tuple(read_joins(lists.get("join", []), problems)),
        filter=_sql(document, "filter", problems),
        select=_sql(document, "select", problems),
        max_reject_ratio=next(
            iter(
                problems.read(
                    "max_reject_ratio", lambda: read_ratio(document.get("max_reject_ratio"))
                )
            ),
            None,
        ),
        table_rules=read_table_rules(lists.get("rules", []), problems),
    )
    _require_joined_names(specification, problems)
    problems.require_none()
    return specification


def require_columns(specification: Specification, available: Sequence[str]) -> None:
    """Every rule must be for a column that there is; `available` are the input's columns."""
    own = {column.name for column in specification.columns} or set(available)
    joined = {name for join in specification.joins for name, _ in join.columns}
    for join in specification.joins:
        _require(own, [ours for ours, _ in join.on], f"the join with {join.lookup}")
    for rule in specification.rules:
        keep = [rule.keep.column] if rule.keep else []
        _require(own | joined, [*rule.columns, *keep], f"rule {rule.name}")


def _require(names: set[str], used: Sequence[str], what: str) -> None:
    for name in used:
        if name not in names:
            raise SpecificationError(
                f"{what} is for column {name}, which there is not; "
                f"there are {', '.join(sorted(names))}"
            )


def _sql(document: Mapping[str, Any], name: str, problems: Problems) -> str | None:
    value = document.get(name)
    if value is None or value == "":
        return None
    return next(iter(problems.read(name, lambda: read_text(value, name))), None)


def _require_joined_names(specification: Specification, problems: Problems) -> None:
    seen = {column.name.lower() for column in specification.columns}
    for join in specification.joins:
        for name, _ in join.columns:
            if name.lower() in seen:
                problems.found.append(f"join: column {name} of {join.lookup} is there already")
            seen.add(name.lower())
