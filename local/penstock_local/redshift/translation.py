"""A query of Redshift, bound to one session: its database and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from penstock_local.redshift import dialect
from penstock_local.redshift.errors import NotSupportedLocallyError
from penstock_local.redshift.parameters import bindings
from penstock_local.redshift.session import Session

# System relations that `prelude.sql` defines in place of DuckDB's, by schema and name.
_SYSTEM = {
    ("information_schema", "tables"): "information_schema_tables",
    ("information_schema", "columns"): "information_schema_columns",
    ("information_schema", "schemata"): "information_schema_schemata",
    ("pg_catalog", "pg_table_def"): "pg_table_def",
    ("pg_catalog", "svv_tables"): "svv_tables",
    ("pg_catalog", "svv_columns"): "svv_columns",
    ("pg_catalog", "svv_table_info"): "svv_table_info",
    ("pg_catalog", "stl_load_errors"): "stl_load_errors",
}


@dataclass(frozen=True, slots=True)
class Translated:
    """DuckDB's SQL and the values of the parameters in it."""

    sql: str
    values: Mapping[str, str]


def tree_of(session: Session, text: str) -> exp.Expression:
    """The syntax tree of a statement, with the names of relations as this database knows them."""
    tree = dialect.parse(text)
    for table in tree.find_all(exp.Table):
        _localise(session, table)
    return tree


def translate(session: Session, text: str, values: Mapping[str, str]) -> Translated:
    """A statement in DuckDB's SQL."""
    return written(tree_of(session, text), values)


def written(tree: exp.Expression, values: Mapping[str, str]) -> Translated:
    """A syntax tree in DuckDB's SQL."""
    return Translated(dialect.write(tree), bindings(values, dialect.parameters_of(tree)))


def translate_query(session: Session, text: str, values: Mapping[str, str]) -> Translated:
    """A statement that must be a query, as in CREATE VIEW or UNLOAD."""
    tree = tree_of(session, text)
    if not isinstance(tree, exp.Query):
        raise NotSupportedLocallyError("Anything but a SELECT at this place")
    return written(tree, values)


def translate_expression(session: Session, text: str) -> str:
    """A single expression, such as the default of a column."""
    tree = tree_of(session, f"SELECT {text}")
    return dialect.write(tree).removeprefix("SELECT ")


def _localise(session: Session, table: exp.Table) -> None:
    if table.catalog:
        if table.catalog not in (session.place.database, session.catalog):
            raise NotSupportedLocallyError(f'A query across databases ("{table.catalog}")')
        table.set("catalog", None)
    system = _SYSTEM.get((table.db, table.name))
    if system:
        table.set("catalog", exp.to_identifier("memory"))
        table.set("db", exp.to_identifier("redshift"))
        table.set("this", exp.to_identifier(system))
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(system)))
