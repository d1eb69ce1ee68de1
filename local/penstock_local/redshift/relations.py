"""What the catalog knows about tables and their columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock_local.redshift.column_types import ColumnType, column_type, stored_type
from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError
from penstock_local.redshift.session import Session
from penstock_local.redshift.words import Name, literal, quote

# The names of the sequences behind IDENTITY columns end so; the first may not be set by INSERT.
ALWAYS_SUFFIX = "_identity"
BY_DEFAULT_SUFFIX = "_identity_default"

_COLUMNS = """
SELECT CASE WHEN t.temporary THEN 'temp' ELSE t.schema_name END, c.column_name, c.data_type,
    c.comment, NOT c.is_nullable, c.column_default
FROM duckdb_tables() t JOIN duckdb_columns() c
    ON c.table_oid = t.table_oid AND c.database_name = t.database_name
    AND c.schema_name = t.schema_name
WHERE t.table_name = ? AND (t.temporary OR t.database_name = ?)
ORDER BY c.column_index
"""

_NEXTVAL = re.compile(r"nextval\('(.+?)'\)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `default` is an expression in DuckDB's SQL."""

    name: str
    type: ColumnType
    not_null: bool = False
    default: str | None = None

    @property
    def sequence(self) -> str | None:
        """The sequence behind an IDENTITY column, as DuckDB names it."""
        found = _NEXTVAL.search(self.default or "")
        return found.group(1) if found else None

    @property
    def is_identity(self) -> bool:
        """Whether its values come from a sequence."""
        return self.sequence is not None

    @property
    def is_always_identity(self) -> bool:
        """Whether INSERT may not name a value for it."""
        return (self.sequence or "").rstrip('"').endswith(ALWAYS_SUFFIX)

    @property
    def definition(self) -> str:
        """The column as it stands in DuckDB's CREATE TABLE."""
        parts = [quote(self.name), self.type.duckdb]
        if self.default is not None:
            parts.append(f"DEFAULT {self.default}")
        if self.not_null:
            parts.append("NOT NULL")
        if self.type.max_bytes is not None:
            parts.append(f"CHECK (strlen({quote(self.name)}) <= {self.type.max_bytes})")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table and where it was found; `schema` is `temp` for temporary tables."""

    schema: str
    table: str
    columns: tuple[Column, ...]

    @property
    def sql(self) -> str:
        """The qualified name as DuckDB reads it."""
        return f"{quote(self.schema)}.{quote(self.table)}"

    def column(self, name: str) -> Column:
        """One column; SqlError if there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise SqlError(f'column "{name}" of relation "{self.table}" does not exist')


def local_name(session: Session, name: Name) -> Name:
    """The name without the database; SqlError if it is another one."""
    if len(name.parts) == 3:
        if name.parts[0] not in (session.place.database, session.catalog):
            raise NotSupportedLocallyError(f'A query across databases ("{name.parts[0]}")')
        return Name(name.parts[1:])
    return name


def find_table(session: Session, name: Name) -> Relation | None:
    """The table that a name means here: temporary ones first, then by the search path."""
    name = local_name(session, name)
    by_schema: dict[str, list[Column]] = {}
    for schema, *column in session.rows(_COLUMNS, [name.table, session.catalog]):
        by_schema.setdefault(schema, []).append(_column(*column))
    for schema in [name.schema] if name.schema else ["temp", *session.search_path]:
        if schema in by_schema:
            return Relation(schema, name.table, tuple(by_schema[schema]))
    return None


def require_table(session: Session, name: Name) -> Relation:
    """Like `find_table`; SqlError if there is none."""
    found = find_table(session, name)
    if found is None:
        raise SqlError(f'relation "{name.table}" does not exist')
    return found


def comments(session: Session, relation_sql: str, columns: tuple[Column, ...]) -> None:
    """Keep the declared types that DuckDB's own types do not tell, such as CHAR(3)."""
    for column in columns:
        if column.type.is_text:
            declared = literal(column.type.declared)
            session.execute(f"COMMENT ON COLUMN {relation_sql}.{quote(column.name)} IS {declared}")


def _column(
    name: str, data_type: str, comment: str | None, not_null: bool, default: str | None
) -> Column:
    kind = column_type(comment) if comment else stored_type(data_type)
    return Column(name, kind, not_null, default)
