"""ALTER TABLE.

DuckDB cannot add columns with constraints nor change the type of a constrained column, so such
tables are written anew inside the transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from penstock_local.redshift.column_types import ColumnType, column_type
from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError
from penstock_local.redshift.outcome import Command, Outcome
from penstock_local.redshift.relations import Column, Relation, require_table
from penstock_local.redshift.session import Session
from penstock_local.redshift.table_definition import NewColumn, new_column
from penstock_local.redshift.tables import create_table
from penstock_local.redshift.words import Name, Sql, quote


@dataclass(frozen=True, slots=True)
class WithoutEffect:
    """A change of distribution, sorting, encoding, ownership or of keys that nobody enforces."""

    table: Name

    def run(self, session: Session) -> Outcome:
        """Only see whether the table exists."""
        require_table(session, self.table)
        return Outcome()


@dataclass(frozen=True, slots=True)
class AddColumn:
    """ADD COLUMN."""

    table: Name
    new: NewColumn

    def run(self, session: Session) -> Outcome:
        """Write the table anew if DuckDB cannot add the column."""
        column = self.new.column
        relation = require_table(session, self.table)
        if any(known.name == column.name for known in relation.columns):
            raise SqlError(
                f'column "{column.name}" of relation "{self.table.table}" already exists'
            )
        if self.new.identity is not None:
            raise NotSupportedLocallyError("ALTER TABLE ADD COLUMN with IDENTITY")
        if column.not_null and column.default is None:
            raise SqlError(
                "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression"
            )
        value = f"CAST({column.default or 'NULL'} AS {column.type.duckdb})"
        sources = [quote(known.name) for known in relation.columns] + [value]
        rewrite(session, relation, (*relation.columns, column), sources)
        return Outcome()


@dataclass(frozen=True, slots=True)
class DropColumn:
    """DROP COLUMN."""

    table: Name
    name: str

    def run(self, session: Session) -> Outcome:
        """Write the table anew without the column."""
        relation = require_table(session, self.table)
        dropped = relation.column(self.name)
        left = tuple(column for column in relation.columns if column is not dropped)
        if not left:
            raise SqlError(f'cannot drop column "{self.name}", it is the only one')
        rewrite(session, relation, left, [quote(column.name) for column in left])
        if dropped.sequence:
            session.execute(f"DROP SEQUENCE IF EXISTS {dropped.sequence}")
        return Outcome()


@dataclass(frozen=True, slots=True)
class ChangeType:
    """ALTER COLUMN TYPE, which Redshift allows for the length of VARCHAR only."""

    table: Name
    name: str
    type: ColumnType

    def run(self, session: Session) -> Outcome:
        """Write the table anew with the other length."""
        session.refuse_in_block("ALTER TABLE ALTER COLUMN")
        relation = require_table(session, self.table)
        changed = relation.column(self.name)
        if not (changed.type.is_text and self.type.is_text):
            raise SqlError(
                f'cannot alter type of column "{self.name}": only VARCHAR can be resized'
            )
        columns = tuple(
            replace(column, type=self.type) if column is changed else column
            for column in relation.columns
        )
        rewrite(session, relation, columns, [quote(column.name) for column in columns])
        return Outcome()


@dataclass(frozen=True, slots=True)
class Rename:
    """RENAME TO and RENAME COLUMN."""

    table: Name
    change: str

    def run(self, session: Session) -> Outcome:
        """DuckDB does the same."""
        relation = require_table(session, self.table)
        session.execute(f"ALTER TABLE {relation.sql} RENAME {self.change}")
        return Outcome()


@dataclass(frozen=True, slots=True)
class Append:
    """APPEND FROM: moves all rows of another table."""

    table: Name
    source: Name

    def run(self, session: Session) -> Outcome:
        """Insert them here and delete them there."""
        session.refuse_in_block("ALTER TABLE APPEND")
        target = require_table(session, self.table)
        source = require_table(session, self.source)
        names = ", ".join(quote(column.name) for column in source.columns)
        insert = f"INSERT INTO {target.sql} ({names}) SELECT {names} FROM {source.sql}"  # noqa: S608
        moved = session.affected(insert)
        session.execute(f"DELETE FROM {source.sql}")  # noqa: S608
        return Outcome(moved)


def rewrite(
    session: Session, relation: Relation, columns: tuple[Column, ...], sources: list[str]
) -> None:
    """Put a table of `columns`, filled from the expressions `sources`, in the place of another."""
    temporary = f"{relation.table}_{uuid.uuid4().hex[:12]}"
    name = f"{quote(relation.schema)}.{quote(temporary)}"
    create_table(session, name, columns)
    names = ", ".join(quote(column.name) for column in columns)
    session.execute(
        f"INSERT INTO {name} ({names}) SELECT {', '.join(sources)} FROM {relation.sql}"  # noqa: S608
    )
    session.execute(f"DROP TABLE {relation.sql}")
    session.execute(f"ALTER TABLE {name} RENAME TO {quote(relation.table)}")


def parse_alter_table(session: Session, sql: Sql) -> Command:
    """ALTER TABLE name and one change."""
    cursor = Cursor(sql)
    cursor.expect("ALTER", "TABLE")
    table = cursor.name()
    for keywords, parse in _CHANGES:
        if cursor.take(*keywords):
            return parse(session, cursor, table)
    raise NotSupportedLocallyError(f"ALTER TABLE ... {' '.join(_next_words(cursor))}")


def _add(session: Session, cursor: Cursor, table: Name) -> Command:
    if cursor.take_any("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN"):
        return WithoutEffect(table)
    cursor.take("COLUMN")
    return AddColumn(table, new_column(session, cursor))


def _drop(_session: Session, cursor: Cursor, table: Name) -> Command:
    if cursor.take("CONSTRAINT"):
        return WithoutEffect(table)
    cursor.take("COLUMN")
    name = cursor.identifier()
    cursor.take_any("CASCADE", "RESTRICT")
    cursor.expect_end()
    return DropColumn(table, name)


def _rename(_session: Session, cursor: Cursor, table: Name) -> Command:
    if cursor.take("TO"):
        return Rename(table, f"TO {quote(cursor.identifier())}")
    cursor.take("COLUMN")
    name = cursor.identifier()
    cursor.expect("TO")
    return Rename(table, f"COLUMN {quote(name)} TO {quote(cursor.identifier())}")


def _alter(_session: Session, cursor: Cursor, table: Name) -> Command:
    if cursor.take_any("DISTKEY", "SORTKEY", "DISTSTYLE", "ENCODE", "COMPOUND", "INTERLEAVED"):
        return WithoutEffect(table)
    cursor.take("COLUMN")
    name = cursor.identifier()
    if cursor.take("ENCODE"):
        return WithoutEffect(table)
    cursor.expect("TYPE")
    return ChangeType(table, name, column_type(cursor.sql.slice(cursor.rest())))


def _append(_session: Session, cursor: Cursor, table: Name) -> Command:
    source = cursor.name()
    cursor.expect_end()
    return Append(table, source)


def _ignore(_session: Session, _cursor: Cursor, table: Name) -> Command:
    return WithoutEffect(table)


def _next_words(cursor: Cursor) -> list[str]:
    return [word.text.upper() for word in cursor.rest()[:2]]


_CHANGES: tuple[tuple[tuple[str, ...], Callable[[Session, Cursor, Name], Command]], ...] = (
    (("ADD",), _add),
    (("DROP",), _drop),
    (("RENAME",), _rename),
    (("ALTER",), _alter),
    (("APPEND", "FROM"), _append),
    (("OWNER", "TO"), _ignore),
)
