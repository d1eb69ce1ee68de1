"""INSERT, UPDATE and DELETE."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from penstock_local.redshift.errors import SqlError
from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.relations import Relation, find_table
from penstock_local.redshift.session import Session
from penstock_local.redshift.translation import written
from penstock_local.redshift.words import Name


class Change:
    """An UPDATE or a DELETE in DuckDB's SQL."""

    def __init__(self, sql: str, values: Mapping[str, str]) -> None:
        self.sql = sql
        self.values = values

    def run(self, session: Session) -> Outcome:
        """Run it and count the rows."""
        return Outcome(session.affected(self.sql, self.values))


class Insert:
    """An INSERT; Redshift's rules on IDENTITY and missing columns need the table's definition."""

    def __init__(self, tree: exp.Insert, values: Mapping[str, str]) -> None:
        self.tree = tree
        self.values = values

    def run(self, session: Session) -> Outcome:
        """Run it and count the rows."""
        relation = find_table(session, target_name(self.tree.this))
        if relation is not None:
            self._respect(relation)
        translated = written(self.tree, self.values)
        return Outcome(session.affected(translated.sql, translated.values))

    def _respect(self, relation: Relation) -> None:
        names = [column.name for column in relation.columns]
        given = self._given_columns(names)
        for column in relation.columns:
            if column.is_always_identity and column.name in given:
                position = given.index(column.name)
                if not self._is_default(position):
                    raise SqlError("cannot set an identity column to a value")
        if given != names and not isinstance(self.tree.this, exp.Schema):
            identifiers = [exp.to_identifier(name, quoted=True) for name in given]
            self.tree.set("this", exp.Schema(this=self.tree.this, expressions=identifiers))

    def _given_columns(self, names: list[str]) -> list[str]:
        """The columns that get a value; fewer values than columns leave the last ones out."""
        if isinstance(self.tree.this, exp.Schema):
            return [item.name for item in self.tree.this.expressions]
        rows = self._rows()
        return names[: len(rows[0].expressions)] if rows else names

    def _is_default(self, position: int) -> bool:
        rows = self._rows()
        return bool(rows) and all(
            isinstance(row.expressions[position], exp.Column | exp.Var)
            and row.expressions[position].name.upper() == "DEFAULT"
            for row in rows
        )

    def _rows(self) -> list[exp.Expression]:
        source = self.tree.expression
        if not isinstance(source, exp.Values):
            return []
        return [row for row in source.expressions if isinstance(row, exp.Tuple)]


def target_name(target: exp.Expression) -> Name:
    """The table that a statement changes."""
    table = target.this if isinstance(target, exp.Schema) else target
    assert isinstance(table, exp.Table)
    return Name(tuple(part for part in (table.catalog, table.db, table.name) if part))
