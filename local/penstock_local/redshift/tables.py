"""CREATE TABLE in all its forms, and DROP TABLE."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.errors import SqlError
from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.queries import settled
from penstock_local.redshift.relations import (
    ALWAYS_SUFFIX,
    BY_DEFAULT_SUFFIX,
    Column,
    Relation,
    comments,
    find_table,
    local_name,
    require_table,
)
from penstock_local.redshift.session import Session
from penstock_local.redshift.table_definition import (
    Identity,
    Like,
    TableDefinition,
    skip_table_attributes,
    table_definition,
)
from penstock_local.redshift.translation import Translated, translate_query
from penstock_local.redshift.words import Name, Sql, quote

TEMPORARY = '"temp"'
_WIDEST = 9_223_372_036_854_775_807


@dataclass(frozen=True, slots=True)
class Target:
    """The table that is to be made."""

    name: Name
    temporary: bool
    if_not_exists: bool

    def qualified(self, session: Session) -> str:
        """Its name for DuckDB; temporary tables live in a schema of their own."""
        name = local_name(session, self.name)
        if self.temporary:
            return f"{TEMPORARY}.{quote(name.table)}"
        schema = name.schema or next(iter(session.search_path), "public")
        return f"{quote(schema)}.{quote(name.table)}"

    def exists(self, session: Session) -> bool:
        """Whether there is such a table; SqlError if there is and there should not be."""
        wanted = Name(("temp", self.name.table)) if self.temporary else self.name
        found = find_table(session, wanted)
        if found is not None and not self.if_not_exists:
            raise SqlError(f'Relation "{self.name.table}" already exists')
        return found is not None


class CreateTable:
    """CREATE TABLE with columns of its own or LIKE another table's."""

    def __init__(self, target: Target, definition: TableDefinition) -> None:
        self.target = target
        self.definition = definition

    def run(self, session: Session) -> Outcome:
        """Make the sequences of IDENTITY columns, then the table."""
        if not self.target.exists(session):
            columns = tuple(self._columns(session))
            create_table(session, self.target.qualified(session), columns)
        return Outcome()

    def _columns(self, session: Session) -> list[Column]:
        columns: list[Column] = []
        for element in self.definition.elements:
            if isinstance(element, Like):
                columns += _columns_like(session, element)
            elif element.identity is None:
                columns.append(element.column)
            else:
                columns.append(self._with_sequence(session, element.column, element.identity))
        return [
            replace(column, not_null=column.not_null or column.name in self.definition.not_null)
            for column in columns
        ]

    def _with_sequence(self, session: Session, column: Column, identity: Identity) -> Column:
        """IDENTITY is a sequence that belongs to this column alone."""
        suffix = ALWAYS_SUFFIX if identity.always else BY_DEFAULT_SUFFIX
        table = self.target.qualified(session)
        schema = table.partition(".")[0]
        sequence = f"{schema}.{quote(f'{column.name}_{uuid.uuid4().hex[:12]}{suffix}')}"
        temporary = "TEMPORARY " if self.target.temporary else ""
        session.execute(
            f"CREATE {temporary}SEQUENCE {sequence} START WITH {identity.seed} "
            f"INCREMENT BY {identity.step} MINVALUE {-_WIDEST} MAXVALUE {_WIDEST}"
        )
        return replace(column, default=f"nextval('{sequence}')", not_null=True)


class CreateTableAs:
    """CREATE TABLE AS and SELECT INTO."""

    def __init__(self, target: Target, query: Translated, names: list[str]) -> None:
        self.target = target
        self.query = query
        self.names = names

    def run(self, session: Session) -> Outcome:
        """Make the table with the rows of the query and count them."""
        if self.target.exists(session):
            return Outcome()
        sql = settled(session, self.query.sql, self.query.values)
        if self.names:
            names = ", ".join(map(quote, self.names))
            sql = f"SELECT * FROM ({sql}) AS q({names})"  # noqa: S608
        create = f"{_create(self.target.qualified(session))} AS {sql}"
        return Outcome(session.affected(create, self.query.values))


class DropTable:
    """DROP TABLE, with the sequences of its IDENTITY columns."""

    def __init__(self, names: list[Name], if_exists: bool) -> None:
        self.names = names
        self.if_exists = if_exists

    def run(self, session: Session) -> Outcome:
        """Drop each of them."""
        for name in self.names:
            relation = find_table(session, name)
            if relation is not None:
                drop_table(session, relation)
            elif not self.if_exists:
                raise SqlError(f'Table "{name.table}" does not exist')
        return Outcome()


def create_table(session: Session, name: str, columns: tuple[Column, ...]) -> None:
    """Make a table of these columns; `name` is qualified and quoted."""
    definitions = ", ".join(column.definition for column in columns)
    session.execute(f"{_create(name)} ({definitions})")
    comments(session, name, columns)


def _create(name: str) -> str:
    temporary = "TEMPORARY " if name.startswith(f"{TEMPORARY}.") else ""
    return f"CREATE {temporary}TABLE {name}"


def drop_table(session: Session, relation: Relation) -> None:
    """Drop a table and the sequences that only it used."""
    session.execute(f"DROP TABLE {relation.sql}")
    for column in relation.columns:
        if column.sequence:
            session.execute(f"DROP SEQUENCE IF EXISTS {column.sequence}")


def parse_create_table(
    session: Session, sql: Sql, values: Mapping[str, str]
) -> CreateTable | CreateTableAs:
    """CREATE [TEMP] TABLE [IF NOT EXISTS] name ... and what follows."""
    cursor = Cursor(sql)
    cursor.expect("CREATE")
    cursor.take("LOCAL")
    temporary = cursor.take_any("TEMP", "TEMPORARY") is not None
    cursor.expect("TABLE")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = cursor.name()
    target = Target(name, temporary or name.is_temporary, if_not_exists)
    inside = cursor.in_parentheses() if cursor.at("(") else []
    skip_table_attributes(cursor)
    if cursor.take("AS"):
        names = [word.text.lower() for word in inside if not word.says(",")]
        query = translate_query(session, sql.slice(cursor.rest()), values)
        return CreateTableAs(target, query, names)
    cursor.expect_end()
    if not inside:
        raise cursor.unexpected()
    return CreateTable(target, table_definition(session, sql, inside))


def _columns_like(session: Session, like: Like) -> list[Column]:
    columns = require_table(session, like.parent).columns
    return [
        column if like.with_defaults and not column.is_identity else replace(column, default=None)
        for column in columns
    ]
