"""MERGE does what Redshift documents, also where the source or the target has duplicates."""

from __future__ import annotations

import pytest
from tests.local.redshift.sql_session import SqlSession

from penstock_local.redshift.errors import SqlError

UPSERT = """
merge into target using source on target.id = source.id
when matched then update set name = source.name
when not matched then insert values (source.id, source.name)
"""
SIMPLIFIED = "merge into target using source on target.id = source.id remove duplicates"


@pytest.fixture
def tables(sql: SqlSession) -> SqlSession:
    sql.run("create table target (id int, name char(10))")
    sql.run("create table source (id int, name char(10))")
    return sql


def _rows(sql: SqlSession) -> list[tuple[int, str]]:
    return sql.rows("select * from target order by id, name")


def test_matched_rows_are_updated_and_others_inserted(tables: SqlSession) -> None:
    tables.run("insert into target values (101, 'Bob'), (102, 'John'), (103, 'Susan')")
    tables.run("insert into source values (102, 'Tony'), (103, 'Alice'), (104, 'Bill')")
    assert tables.run(UPSERT).rows == 3
    assert _rows(tables) == [(101, "Bob"), (102, "Tony"), (103, "Alice"), (104, "Bill")]


def test_matched_rows_are_deleted_and_others_inserted(tables: SqlSession) -> None:
    tables.run("insert into target values (101, 'Bob'), (102, 'Tony')")
    tables.run("insert into source values (102, 'Tony'), (105, 'David')")
    tables.run(
        "merge into target using source as s on target.id = s.id when matched then delete "
        "when not matched then insert (id, name) values (s.id, s.name)"
    )
    assert _rows(tables) == [(101, "Bob"), (105, "David")]


@pytest.mark.parametrize("statement", [UPSERT, SIMPLIFIED])
def test_a_row_that_matches_twice_is_an_error(tables: SqlSession, statement: str) -> None:
    tables.run("insert into target values (1, 'Bob'), (2, 'John')")
    tables.run("insert into source values (1, 'Tony'), (1, 'Alice'), (3, 'Bill')")
    with pytest.raises(SqlError, match="Found multiple matches to update the same tuple"):
        tables.run(statement)
    assert _rows(tables) == [(1, "Bob"), (2, "John")]


def test_remove_duplicates_keeps_duplicates_that_no_source_row_matches(tables: SqlSession) -> None:
    tables.run(
        "insert into target values "
        "(30, 'Tony'), (30, 'Daisy'), (11, 'Alice'), (23, 'Bill'), (23, 'Nikki')"
    )
    tables.run("insert into source values (23, 'David'), (22, 'Clarence')")
    tables.run(SIMPLIFIED)
    assert _rows(tables) == [
        (11, "Alice"),
        (22, "Clarence"),
        (23, "David"),
        (30, "Daisy"),
        (30, "Tony"),
    ]


def test_the_source_may_be_a_query_with_parameters(tables: SqlSession) -> None:
    tables.run("insert into target values (1, 'old')")
    tables.run("insert into source values (1, 'a'), (1, 'a'), (2, 'b')")
    source = "(select id, name from source where id < :limit group by 1, 2) as s"
    tables.run(
        f"merge into target using {source} on target.id = s.id "
        "when matched then update set name = s.name "
        "when not matched then insert values (s.id, :other)",
        limit="9",
        other="c",
    )
    assert _rows(tables) == [(1, "a"), (2, "c")]
    tables.run(f"merge into target using {source} on target.id = s.id remove duplicates", limit="2")
    assert _rows(tables) == [(1, "a"), (2, "c")]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (UPSERT.replace("source", "target"), "cannot be the same table"),
        (
            (
                "merge into target using (select id, name from target) s on target.id = s.id "
                "remove duplicates"
            ),
            "cannot reference target table",
        ),
        (
            "merge into target using source on target.id = source.id when matched then delete",
            "syntax error",
        ),
    ],
)
def test_merge_refuses_what_redshift_refuses(
    tables: SqlSession, statement: str, message: str
) -> None:
    with pytest.raises(SqlError, match=message):
        tables.run(statement)
