"""From the text of a statement to a command that can be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from penstock_local.redshift.alter_table import parse_alter_table
from penstock_local.redshift.changes import Change, Insert
from penstock_local.redshift.copy_command import parse_copy
from penstock_local.redshift.errors import NotSupportedLocallyError, syntax_error
from penstock_local.redshift.merge import parse_merge
from penstock_local.redshift.outcome import Command
from penstock_local.redshift.parameters import mark
from penstock_local.redshift.queries import Explain, Query
from penstock_local.redshift.schema_objects import (
    WITHOUT_MEANING,
    Nothing,
    parse_create,
    parse_drop,
)
from penstock_local.redshift.session import Session
from penstock_local.redshift.session_settings import parse_reset, parse_set, parse_show
from penstock_local.redshift.tables import CreateTableAs, Target
from penstock_local.redshift.transactions import (
    Begin,
    Commit,
    OutsideBlocks,
    Rollback,
    parse_truncate,
)
from penstock_local.redshift.translation import translate_query, tree_of, written
from penstock_local.redshift.unload_command import parse_unload
from penstock_local.redshift.words import Name, Sql

# Statements of Redshift that have no counterpart here.
_UNKNOWN_HERE = frozenset(
    {
        "CALL", "CANCEL", "CLOSE", "DEALLOCATE", "DECLARE", "DESC", "DESCRIBE", "EXECUTE", "FETCH",
        "PREPARE", "USE", "VALUES", "ATTACH", "DETACH",
    }
)  # fmt: skip


def understand(session: Session, sql: Sql, values: Mapping[str, str]) -> Command:
    """The command that a statement is. Raises SqlError when it is wrong or not supported."""
    marked = mark(sql, values)
    keyword = marked.words[0].text.upper()
    parse = _STATEMENTS.get(keyword)
    if parse is not None:
        return parse(session, marked, values)
    if keyword in _UNKNOWN_HERE:
        raise NotSupportedLocallyError(f"The statement {keyword}")
    raise syntax_error(marked.words[0].text)


def _query(session: Session, sql: Sql, values: Mapping[str, str]) -> Command:
    tree = tree_of(session, sql.text)
    into = tree.args.get("into")
    if into is not None:
        return _select_into(tree, into, values)
    if not isinstance(tree, exp.Query):
        return _other_change(tree, values)
    translated = written(tree, values)
    return Query(translated.sql, translated.values)


def _other_change(tree: exp.Expression, values: Mapping[str, str]) -> Command:
    """WITH before INSERT, UPDATE or DELETE."""
    if isinstance(tree, exp.Insert):
        return Insert(tree, values)
    if isinstance(tree, exp.Update | exp.Delete):
        translated = written(tree, values)
        return Change(translated.sql, translated.values)
    raise NotSupportedLocallyError("This statement")


def _select_into(tree: exp.Expression, into: exp.Into, values: Mapping[str, str]) -> Command:
    table = into.this
    name = Name(tuple(part for part in (table.db, table.name) if part))
    temporary = bool(into.args.get("temporary")) or name.is_temporary
    tree.set("into", None)
    return CreateTableAs(Target(name, temporary, False), written(tree, values), [])


def _change(session: Session, sql: Sql, values: Mapping[str, str]) -> Command:
    return _other_change(tree_of(session, sql.text), values)


def _delete(session: Session, sql: Sql, values: Mapping[str, str]) -> Command:
    text = sql.text
    if not sql.starts_with("DELETE", "FROM"):
        # FROM is optional in Redshift.
        text = " ".join(["DELETE FROM", sql.slice(sql.words[1:])])
    return _other_change(tree_of(session, text), values)


def _alter(session: Session, sql: Sql, _values: Mapping[str, str]) -> Command:
    if sql.starts_with("ALTER", "TABLE"):
        return parse_alter_table(session, sql)
    kind = sql.words[1].text.upper() if len(sql.words) > 1 else ""
    if kind in (*WITHOUT_MEANING, "SCHEMA"):
        return Nothing()
    raise NotSupportedLocallyError(f"ALTER {kind}")


def _explain(session: Session, sql: Sql, values: Mapping[str, str]) -> Command:
    position = 2 if sql.starts_with("EXPLAIN", "VERBOSE") else 1
    query = translate_query(session, sql.slice(sql.words[position:]), values)
    return Explain(query.sql, query.values)


def _fixed(make: Callable[[], Command]) -> Callable[[Session, Sql, Mapping[str, str]], Command]:
    return lambda _session, _sql, _values: make()


_STATEMENTS: dict[str, Callable[[Session, Sql, Mapping[str, str]], Command]] = {
    "SELECT": _query,
    "WITH": _query,
    "(": _query,
    "INSERT": _change,
    "UPDATE": _change,
    "DELETE": _delete,
    "MERGE": parse_merge,
    "CREATE": parse_create,
    "DROP": lambda _session, sql, _values: parse_drop(sql),
    "ALTER": _alter,
    "TRUNCATE": lambda _session, sql, _values: parse_truncate(sql),
    "COPY": lambda _session, sql, _values: parse_copy(sql),
    "UNLOAD": lambda session, sql, _values: parse_unload(session, sql),
    "EXPLAIN": _explain,
    "BEGIN": _fixed(Begin),
    "START": _fixed(Begin),
    "COMMIT": _fixed(Commit),
    "END": _fixed(Commit),
    "ROLLBACK": _fixed(Rollback),
    "ABORT": _fixed(Rollback),
    "SET": lambda _session, sql, _values: parse_set(sql),
    "RESET": lambda _session, sql, _values: parse_reset(sql),
    "SHOW": lambda _session, sql, _values: parse_show(sql),
    "VACUUM": _fixed(lambda: OutsideBlocks("VACUUM")),
    # Statistics, permissions, remarks, locks: without effect where one statement runs at a time.
    "ANALYZE": _fixed(Nothing),
    "ANALYSE": _fixed(Nothing),
    "GRANT": _fixed(Nothing),
    "REVOKE": _fixed(Nothing),
    "COMMENT": _fixed(Nothing),
    "LOCK": _fixed(Nothing),
    "REFRESH": _fixed(Nothing),
}
