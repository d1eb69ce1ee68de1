"""MERGE, also in its simplified form with REMOVE DUPLICATES."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from penstock_local.redshift import dialect
from penstock_local.redshift.changes import Change, target_name
from penstock_local.redshift.errors import SqlError, syntax_error
from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.session import Session
from penstock_local.redshift.translation import Translated, tree_of, written
from penstock_local.redshift.words import Sql, quote

MULTIPLE_MATCHES = "Found multiple matches to update the same tuple."


class MergeRemovingDuplicates:
    """Target rows that match are replaced by their source row; the other source rows are added.

    As Redshift documents REMOVE DUPLICATES: rows of the target that no source row matches stay
    as they are, duplicates or not; a target row may not match several source rows.
    """

    def __init__(self, check: Translated, delete: Translated, insert: Translated) -> None:
        self.check = check
        self.delete = delete
        self.insert = insert

    def run(self, session: Session) -> Outcome:
        """Replace and add, and count the source rows."""
        if session.execute(self.check.sql, self.check.values).fetchone():
            raise SqlError(MULTIPLE_MATCHES)
        session.affected(self.delete.sql, self.delete.values)
        return Outcome(session.affected(self.insert.sql, self.insert.values))


def parse_merge(
    session: Session, sql: Sql, values: Mapping[str, str]
) -> Change | MergeRemovingDuplicates:
    """MERGE INTO target USING source ON condition ..."""
    if sql.words[-2].says("REMOVE") and sql.words[-1].says("DUPLICATES"):
        head = sql.slice(sql.words[:-2])
        tree = _merge_tree(session, f"{head} WHEN MATCHED THEN DELETE")
        return _removing_duplicates(tree, values)
    tree = _merge_tree(session, sql.text)
    if len(tree.args["whens"].expressions) != 2:
        # Redshift insists on both branches.
        raise syntax_error(None)
    for when in tree.find_all(exp.When):
        _mend_insert(when)
    translated = written(tree, values)
    return Change(translated.sql, translated.values)


def _merge_tree(session: Session, text: str) -> exp.Merge:
    tree = tree_of(session, text)
    assert isinstance(tree, exp.Merge)
    target, source = tree.this, tree.args["using"]
    for table in source.find_all(exp.Table):
        if (table.db, table.name) != (target.db, target.name):
            continue
        if table is source:
            raise SqlError("Source and target of MERGE cannot be the same table")
        raise SqlError("Source view/subquery in Merge statement cannot reference target table.")
    return tree


def _mend_insert(when: exp.When) -> None:
    """sqlglot takes `INSERT VALUES (...)` without a column list for a call of a function."""
    insert = when.args["then"]
    columns = insert.this if isinstance(insert, exp.Insert) else None
    if isinstance(columns, exp.Tuple) and len(columns.expressions) == 1:
        call = columns.expressions[0]
        if isinstance(call, exp.Anonymous) and call.name.upper() == "VALUES":
            insert.set("this", None)
            insert.set("expression", exp.Tuple(expressions=call.expressions))


def _removing_duplicates(tree: exp.Merge, values: Mapping[str, str]) -> MergeRemovingDuplicates:
    target = dialect.write(tree.this)
    source = dialect.write(tree.args["using"])
    condition = dialect.write(tree.args["on"])
    alias = quote(tree.this.alias or target_name(tree.this).table)
    name = dialect.write(exp.Table(this=tree.this.this, db=tree.this.args.get("db")))
    used = written(tree, values).values

    def translated(sql: str) -> Translated:
        return Translated(sql, used)

    return MergeRemovingDuplicates(
        check=translated(
            f"SELECT 1 FROM {target} JOIN {source} ON {condition} "  # noqa: S608
            f"GROUP BY {alias}.rowid HAVING count(*) > 1 LIMIT 1"
        ),
        delete=translated(f"DELETE FROM {target} USING {source} WHERE {condition}"),  # noqa: S608
        insert=_insert_all(name, source, tree, values),
    )


def _insert_all(name: str, source: str, tree: exp.Merge, values: Mapping[str, str]) -> Translated:
    used = written(tree.args["using"], values).values
    return Translated(f"INSERT INTO {name} SELECT * FROM {source}", used)  # noqa: S608
