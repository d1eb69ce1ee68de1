"""Parameters are values: whatever they hold, they never become SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.local.redshift.sql_session import SqlSession

from penstock_local.redshift.errors import ApiError, SqlError
from penstock_local.redshift.parameters import check
from penstock_local.redshift.place import Place
from penstock_local.redshift.words import read

ATTACKS = [
    "'; drop table victims; --",
    "' or '1'='1",
    "1) ; delete from victims where (1=1",
    "\\'; drop table victims; --",
    ":other",
    "$p_other",
    "$$",
    "/* */ -- '",
    'x"y',
    "null",
    "é\n\t\\",
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlSession]:
    folder: Path = tmp_path_factory.mktemp("parameters")
    one = SqlSession(Place("1", "eu", "workgroup", "w", "dev"), folder)
    one.run("create table victims (name varchar(max))")
    one.run("insert into victims values ('alive')")
    yield one
    one.close()


@pytest.mark.parametrize("text", ATTACKS)
def test_an_injection_attempt_stays_text(shared: SqlSession, text: str) -> None:
    assert shared.value("select :value", value=text) == text
    assert shared.value("select count(*) from victims where name = :value", value=text) == 0
    assert shared.run("delete from victims where name = :value", value=text).rows == 0
    assert shared.rows("select * from victims") == [("alive",)]


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_text_comes_back_as_it_was(shared: SqlSession, text: str) -> None:
    assert shared.value("select :value || ''", value=text) == text


def test_parameters_take_the_type_that_their_place_needs(sql: SqlSession) -> None:
    sql.run("create table event (id int, venue smallint, name varchar(9), starts timestamp)")
    insert = "insert into event values (:id, :id::smallint, :name, :starts) /* not :comment */"
    sql.run(insert, id="2", name="e", starts="2022-02-22")
    query = "select * from event where id = :id and starts >= :since and id between :id and 9"
    rows = sql.rows(f"{query} limit :most", id="2", since="2022-01-01", most="1")
    assert rows == [(2, 2, "e", "2022-02-22 00:00:00.0")]
    assert sql.run("update event set name = :name where id in (:id, 3)", name="f", id="2").rows == 1
    sql.run("create temp table chosen as select * from event where name = :name", name="f")
    assert sql.value("select count(*) from chosen") == 1


def test_a_value_that_does_not_fit_is_an_error(sql: SqlSession) -> None:
    with pytest.raises(SqlError, match='invalid input syntax for integer: "x"'):
        sql.run("select 1 where 1 = :value", value="x")


def test_placeholders_in_strings_casts_and_comments_are_none(sql: SqlSession) -> None:
    assert sql.value("select ':a' || '1'::varchar -- :b") == ":a1"


def test_a_placeholder_without_any_parameters_is_a_syntax_error(sql: SqlSession) -> None:
    with pytest.raises(SqlError, match='syntax error at or near ":"'):
        sql.run("select :value")


def test_names_may_be_digits(sql: SqlSession) -> None:
    assert sql.value("select :1 || :2x", **{"1": "a", "2x": "b"}) == "ab"


def test_a_parameter_that_no_statement_uses_is_refused() -> None:
    with pytest.raises(ApiError, match=r"Unused parameters: \[b\]"):
        check([read("select :a"), read("select ':b' -- :b")], {"a": "1", "b": "2"})


def test_a_placeholder_without_its_parameter_is_refused() -> None:
    with pytest.raises(ApiError, match="Cannot find parameter: c"):
        check([read("select :a, :c")], {"a": "1"})
