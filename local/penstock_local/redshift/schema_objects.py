"""Schemas and views; users, groups and databases, which have no meaning here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.errors import NotSupportedLocallyError
from penstock_local.redshift.outcome import Command, Outcome
from penstock_local.redshift.queries import settled
from penstock_local.redshift.relations import local_name
from penstock_local.redshift.session import Session
from penstock_local.redshift.table_definition import skip_table_attributes
from penstock_local.redshift.tables import DropTable, parse_create_table
from penstock_local.redshift.translation import Translated, translate_query
from penstock_local.redshift.words import Name, Sql, quote

# Who may do what is decided by IAM alone here, and every database exists once it is used.
WITHOUT_MEANING = (
    "USER",
    "GROUP",
    "ROLE",
    "DATABASE",
    "DEFAULT",
    "IDENTITY",
)
_VIEW_ENDING = ("WITH", "NO", "SCHEMA", "BINDING")


class Nothing:
    """A statement that is accepted and changes nothing."""

    def run(self, _session: Session) -> Outcome:
        """Do nothing."""
        return Outcome()


@dataclass(frozen=True, slots=True)
class Execute:
    """A statement that DuckDB knows as it is."""

    sql: str

    def run(self, session: Session) -> Outcome:
        """Run it."""
        session.execute(self.sql)
        return Outcome()


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE VIEW; a materialized view is an ordinary one, and so never stale."""

    name: Name
    query: Translated
    columns: tuple[str, ...]
    replace: bool

    def run(self, session: Session) -> Outcome:
        """Make it."""
        names = f" ({', '.join(map(quote, self.columns))})" if self.columns else ""
        create = "CREATE OR REPLACE VIEW" if self.replace else "CREATE VIEW"
        sql = settled(session, self.query.sql, self.query.values)
        session.execute(f"{create} {local_name(session, self.name).sql}{names} AS {sql}")
        return Outcome()


def parse_create(session: Session, sql: Sql, values: Mapping[str, str]) -> Command:
    """CREATE anything."""
    cursor = Cursor(sql)
    cursor.expect("CREATE")
    if cursor.take("SCHEMA"):
        return _create_schema(cursor)
    if cursor.take_any(*WITHOUT_MEANING):
        return Nothing()
    replace = cursor.take("OR", "REPLACE")
    if cursor.take("VIEW") or cursor.take("MATERIALIZED", "VIEW"):
        return _create_view(session, cursor, values, replace)
    if cursor.take_any("TABLE", "TEMP", "TEMPORARY", "LOCAL") and not replace:
        return parse_create_table(session, sql, values)
    kind = cursor.word().text.upper()
    raise NotSupportedLocallyError(f"CREATE {kind}")


def parse_drop(sql: Sql) -> Command:
    """DROP anything."""
    cursor = Cursor(sql)
    cursor.expect("DROP")
    if cursor.take_any(*WITHOUT_MEANING):
        return Nothing()
    if cursor.take("TABLE"):
        if_exists, names = _dropped(cursor)
        return DropTable(names, if_exists)
    kind = "VIEW" if cursor.take("MATERIALIZED", "VIEW") else cursor.word().text.upper()
    if kind not in ("VIEW", "SCHEMA"):
        raise NotSupportedLocallyError(f"DROP {kind}")
    cascade = " CASCADE" if sql.words[-1].says("CASCADE") else ""
    if_exists, names = _dropped(cursor)
    condition = "IF EXISTS " if if_exists else ""
    return Several([Execute(f"DROP {kind} {condition}{name.sql}{cascade}") for name in names])


@dataclass(frozen=True, slots=True)
class Several:
    """The same for several objects."""

    commands: list[Execute]

    def run(self, session: Session) -> Outcome:
        """One after the other."""
        for command in self.commands:
            command.run(session)
        return Outcome()


def _create_schema(cursor: Cursor) -> Command:
    condition = "IF NOT EXISTS " if cursor.take("IF", "NOT", "EXISTS") else ""
    if cursor.take("AUTHORIZATION"):
        return Execute(f"CREATE SCHEMA {condition}{quote(cursor.identifier())}")
    name = cursor.identifier()
    if cursor.take("AUTHORIZATION"):
        cursor.identifier()
    if cursor.take("QUOTA"):
        cursor.rest()
    cursor.expect_end()
    return Execute(f"CREATE SCHEMA {condition}{quote(name)}")


def _create_view(
    session: Session, cursor: Cursor, values: Mapping[str, str], replace: bool
) -> Command:
    name = cursor.name()
    columns = tuple(cursor.names_in_parentheses()) if cursor.at("(") else ()
    skip_table_attributes(cursor)
    if cursor.take("AUTO", "REFRESH"):
        cursor.word()
    cursor.expect("AS")
    words = cursor.rest()
    ending = [word.text.upper() for word in words[-len(_VIEW_ENDING) :]]
    if tuple(ending) == _VIEW_ENDING:
        words = words[: -len(_VIEW_ENDING)]
    query = translate_query(session, cursor.sql.slice(words), values)
    return CreateView(name, query, columns, replace)


def _dropped(cursor: Cursor) -> tuple[bool, list[Name]]:
    if_exists = cursor.take("IF", "EXISTS")
    names = [cursor.name()]
    while cursor.take(","):
        names.append(cursor.name())
    cursor.take_any("CASCADE", "RESTRICT")
    cursor.expect_end()
    return if_exists, names
