"""Reading the columns of CREATE TABLE and ALTER TABLE ADD COLUMN."""

from __future__ import annotations

from dataclasses import dataclass, replace

from penstock_local.redshift.column_types import column_type
from penstock_local.redshift.cursor import Cursor, cursor_over, split_at_commas
from penstock_local.redshift.errors import NotSupportedLocallyError
from penstock_local.redshift.relations import Column
from penstock_local.redshift.session import Session
from penstock_local.redshift.translation import translate_expression
from penstock_local.redshift.words import Name, Sql, Word

_CONSTRAINTS = ("PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT", "CHECK")
_ATTRIBUTES = frozenset(
    {
        "DEFAULT", "IDENTITY", "GENERATED", "ENCODE", "DISTKEY", "SORTKEY", "COLLATE", "NOT",
        "NULL", "UNIQUE", "PRIMARY", "REFERENCES", "CHECK", "CONSTRAINT",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identity:
    """An IDENTITY column; `always` means that INSERT may not set it."""

    seed: int
    step: int
    always: bool


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A column to be made."""

    column: Column
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Like:
    """The columns of another table."""

    parent: Name
    with_defaults: bool


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """What stands between the parentheses of CREATE TABLE."""

    elements: tuple[NewColumn | Like, ...]
    not_null: frozenset[str]


def table_definition(session: Session, sql: Sql, words: list[Word]) -> TableDefinition:
    """Columns in order. Keys are not enforced by Redshift; only their NOT NULL has an effect."""
    elements: list[NewColumn | Like] = []
    not_null: set[str] = set()
    for element in split_at_commas(words):
        cursor = cursor_over(sql, element)
        if cursor.take("LIKE"):
            elements.append(_like(cursor))
        elif any(cursor.at(keyword) for keyword in _CONSTRAINTS):
            not_null.update(_table_constraint(cursor))
        else:
            elements.append(new_column(session, cursor))
    return TableDefinition(tuple(elements), frozenset(not_null))


def _like(cursor: Cursor) -> Like:
    parent = cursor.name()
    with_defaults = cursor.take("INCLUDING", "DEFAULTS")
    cursor.take("EXCLUDING", "DEFAULTS")
    cursor.expect_end()
    return Like(parent, with_defaults)


def _table_constraint(cursor: Cursor) -> list[str]:
    """The columns that a table constraint makes NOT NULL."""
    if cursor.take("CONSTRAINT"):
        cursor.identifier()
    if cursor.take("PRIMARY", "KEY"):
        return cursor.names_in_parentheses()
    if cursor.at("CHECK"):
        raise NotSupportedLocallyError("A CHECK constraint")
    if not (cursor.take("UNIQUE") or cursor.take("FOREIGN", "KEY")):
        raise cursor.unexpected()
    cursor.names_in_parentheses()
    return []


def new_column(session: Session, cursor: Cursor) -> NewColumn:
    """One column with its type and attributes."""
    name = cursor.identifier()
    kind = column_type(cursor.sql.slice(_until_attribute(cursor)))
    new = NewColumn(Column(name, kind))
    while not cursor.done:
        new = _attribute(session, cursor, new)
    return new


def _attribute(session: Session, cursor: Cursor, new: NewColumn) -> NewColumn:
    if cursor.take("DEFAULT"):
        words = [cursor.word(), *_until_attribute(cursor)]
        default = translate_expression(session, cursor.sql.slice(words))
        return replace(new, column=replace(new.column, default=default))
    if cursor.take("NOT", "NULL") or cursor.take("PRIMARY", "KEY"):
        return replace(new, column=replace(new.column, not_null=True))
    if cursor.at("IDENTITY") or cursor.at("GENERATED"):
        return replace(new, identity=_identity(cursor))
    _attribute_without_effect(cursor)
    return new


def _identity(cursor: Cursor) -> Identity:
    always = True
    if cursor.take("GENERATED", "BY", "DEFAULT", "AS"):
        always = False
    cursor.expect("IDENTITY")
    seed, step = 1, 1
    if cursor.take("("):
        seed = cursor.number()
        cursor.expect(",")
        step = cursor.number()
        cursor.expect(")")
    return Identity(seed, step, always)


def _attribute_without_effect(cursor: Cursor) -> None:
    """Storage hints and keys, which change no result."""
    if cursor.take("ENCODE") or cursor.take("CONSTRAINT"):
        cursor.identifier()
    elif cursor.take("COLLATE"):
        if not cursor.take("CASE_SENSITIVE") and not cursor.take("CS"):
            raise NotSupportedLocallyError("COLLATE CASE_INSENSITIVE")
    elif cursor.take("REFERENCES"):
        cursor.name()
        if cursor.at("("):
            cursor.names_in_parentheses()
    elif cursor.at("CHECK"):
        raise NotSupportedLocallyError("A CHECK constraint")
    elif not cursor.take_any("DISTKEY", "SORTKEY", "UNIQUE", "NULL"):
        raise cursor.unexpected()


def _until_attribute(cursor: Cursor) -> list[Word]:
    """The words up to the next attribute; what stands in parentheses belongs together."""
    words: list[Word] = []
    depth = 0
    while (word := cursor.peek()) is not None:
        if depth == 0 and word.says(word.text.upper()) and word.text.upper() in _ATTRIBUTES:
            break
        depth += word.says("(") - word.says(")")
        words.append(cursor.word())
    return words


def skip_table_attributes(cursor: Cursor) -> None:
    """Step over BACKUP, DISTSTYLE, DISTKEY, SORTKEY and ENCODE, which change no result."""
    while True:
        if cursor.take_any("BACKUP", "DISTSTYLE", "ENCODE"):
            cursor.word()
        elif cursor.take("DISTKEY"):
            cursor.names_in_parentheses()
        elif cursor.take_any("COMPOUND", "INTERLEAVED") or cursor.at("SORTKEY"):
            cursor.expect("SORTKEY")
            if not cursor.take_any("AUTO", "NONE"):
                cursor.names_in_parentheses()
        else:
            return
