"""Redshift's expressions give Redshift's values."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.redshift.sql_session import SqlSession

from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError

VALUES: list[tuple[str, Any]] = [
    # integers divide to integers, cut off towards zero
    ("7/2", 3),
    ("-7/2", -3),
    ("7/2.0", 3.5),
    ("7::float8/2", 3.5),
    ("(select sum(x)/count(*) from (select 7 x union all select 8) t)", 7.0),
    ("(select avg(x) from (select 1 x union all select 2) t)", 1),
    ("(select avg(x) from (select 1.0 x union all select 2) t)", 1.5),
    ("(select avg(x) over () from (select 1 x union all select 2) t limit 1)", 1.0),
    ("7 % 4", 3),
    ("mod(7, 4)", 3),
    # NULL and choices
    ("nvl(null, 2)", 2),
    ("nvl2(null, 1, 2)", 2),
    ("isnull(null, 3)", 3),
    ("coalesce(null, null, 4)", 4),
    ("decode(2, 1, 'one', 2, 'two', 'many')", "two"),
    ("decode(3, 1, 'one', 'many')", "many"),
    ("concat('a', null)", None),
    ("concat('a', 'b')", "ab"),
    ("'a' || 'b'", "ab"),
    ("greatest(1, null, 2)", 2),
    # text
    ("len('abc')", 3),
    ("octet_length('é')", 2),
    ("charindex('b', 'abc')", 2),
    ("strpos('abc', 'c')", 3),
    ("btrim('  a ')", "a"),
    ("split_part('a-b', '-', 2)", "b"),
    ("initcap('hello world')", "Hello World"),
    ("lpad('7', 3, '0')", "007"),
    ("regexp_replace('aaa', 'a', 'b')", "bbb"),
    ("regexp_substr('a1b2', '[0-9]')", "1"),
    ("regexp_count('a1b2', '[0-9]')", 2),
    ("'abc' similar to 'a%'", True),
    ("'abc' similar to '_b_'", True),
    ("'a.c' similar to 'a.c'", True),
    ("'abc' similar to 'a.c'", False),
    ("'abc' ~ '^a'", True),
    ("'abc' ilike 'A%'", True),
    (r"'a_c' like 'a\\_c'", True),
    (r"'abc' like 'a\\_c'", False),
    ("'a%c' like 'a!%c' escape '!'", True),
    ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
    ("sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("strtol('ff', 16)", 255),
    ("quote_ident('a b')", '"a b"'),
    ("cast('abcdef' as varchar(3))", "abc"),
    ("'abcdef'::char(2)", "ab"),
    # dates
    ("trunc(timestamp '2024-02-03 04:05:06')", "2024-02-03"),
    ("trunc(12.345)", "12"),
    ("trunc(12.345, 1)", "12.3"),
    ("dateadd(month, 1, '2024-01-31'::date)", "2024-02-29 00:00:00.0"),
    ("dateadd('hour', -2, timestamp '2024-01-01 01:00:00')", "2023-12-31 23:00:00.0"),
    ("datediff(day, '2024-01-01', '2024-03-01')", 60),
    ("datediff(month, '2024-01-31'::date, '2024-02-01'::date)", 1),
    ("date_trunc('month', timestamp '2024-02-03 04:05:06')", "2024-02-01 00:00:00.0"),
    ("last_day('2024-02-03'::date)", "2024-02-29"),
    ("add_months('2024-01-31'::date, 1)", "2024-02-29 00:00:00.0"),
    ("to_char(timestamp '2024-02-03 04:05:06', 'YYYY-MM-DD HH24:MI:SS')", "2024-02-03 04:05:06"),
    ("to_date('03/02/2024', 'DD/MM/YYYY')", "2024-02-03"),
    ("extract(dow from date '2024-02-04')", 0),
    ("date '2024-03-01' - date '2024-02-01'", 29),
    ("date '2024-03-01' - 1", "2024-02-29"),
    (
        "convert_timezone('UTC', 'Europe/Berlin', timestamp '2024-07-01 12:00:00')",
        "2024-07-01 14:00:00.0",
    ),
    ("timestamp '2024-02-03 04:05:06.120'", "2024-02-03 04:05:06.12"),
    ("cast('2024-02-03 04:05:06+00' as timestamptz)", "2024-02-03 04:05:06+00"),
    ("datediff(second, sysdate, getdate()) between -2 and 2", True),
    # JSON and SUPER
    ("""json_extract_path_text('{"a": {"b": "x"}}', 'a', 'b')""", "x"),
    ("json_extract_array_element_text('[1, 2]', 1)", "2"),
    ("json_array_length('[1, 2, 3]')", 3),
    ("is_valid_json('{}')", True),
    ("is_valid_json('{')", False),
    ("""json_parse('{"a": [1, {"b": "x"}]}')""", '{"a":[1,{"b":"x"}]}'),
    ("""json_serialize(json_parse('{"a": 1}'))""", '{"a":1}'),
    ("""(select s.v.a[1].b from (select json_parse('{"a": [1, {"b": 5}]}') v) s)""", "5"),
    ("""(select s.v.a.b = 'x' from (select json_parse('{"a": {"b": "x"}}') v) s)""", True),
    ("""(select s.v.missing is null from (select json_parse('{}') v) s)""", True),
    ("get_array_length(array(1, 2))", 2),
    ("json_typeof(json_parse('[]'))", "array"),
    ("object('a', 1)", '{"a":1}'),
    # aggregates and windows
    ("(select listagg(x) within group (order by x) from (select 'b' x union select 'a') t)", "ab"),
    (
        (
            "(select listagg(x, ', ') within group (order by x desc) "
            "from (select 'b' x union select 'a') t)"
        ),
        "b, a",
    ),
    ("(select listagg(distinct x, ',') from (select 'a' x union all select 'a') t)", "a"),
    ("(select median(x) from (select 1 x union select 3) t)", 2.0),
    ("(select ratio_to_report(x) over () from (select 5 x) t)", 1.0),
    ("(select approximate count(distinct x) from (select 5 x) t)", 1),
    ("current_user", "IAM:tester"),
    ("current_database()", "dev"),
]


@pytest.mark.parametrize(("expression", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_an_expression_has_the_value_it_has_on_redshift(
    sql: SqlSession, expression: str, expected: Any
) -> None:
    assert sql.value(f"select {expression}") == expected


def test_names_are_folded_to_lower_case_quoted_or_not(sql: SqlSession) -> None:
    sql.run('create table MyTable (Id int, "Mixed" int)')
    sql.run('insert into MYTABLE (ID, "MIXED") values (1, 2)')
    result = sql.run('select Id, "Mixed" as "Total" from mytable').result
    assert result is not None
    assert [column.name for column in result.columns] == ["id", "total"]


def test_nulls_come_last_ascending_and_first_descending(sql: SqlSession) -> None:
    values = "(select 1 x union all select null union all select 2) t"
    assert sql.rows(f"select x from {values} order by x") == [(1,), (2,), (None,)]
    assert sql.rows(f"select x from {values} order by x desc") == [(None,), (2,), (1,)]


def test_elements_of_a_super_array_are_rows(sql: SqlSession) -> None:
    sql.run("create table orders (id int, lines super)")
    sql.run("""insert into orders select 1, json_parse('[{"sku": "a"}, {"sku": "b"}]')""")
    assert sorted(sql.rows("select line.sku from orders o, o.lines as line")) == [
        ('"a"',),
        ('"b"',),
    ]


def test_qualify_top_minus_and_with_work(sql: SqlSession) -> None:
    sql.run("create table t (k int, v int)")
    sql.run("insert into t values (1, 1), (1, 2), (2, 3)")
    newest = "select * from t qualify row_number() over (partition by k order by v desc) = 1"
    assert sorted(sql.rows(newest)) == [(1, 2), (2, 3)]
    assert sql.rows("select top 1 v from t order by v desc") == [(3,)]
    assert sql.rows("select k from t minus select 1") == [(2,)]
    assert sql.rows("with x as (select max(v) m from t) select m from x") == [(3,)]


def test_integer_division_may_group_and_order(sql: SqlSession) -> None:
    sql.run("create table t as select n from generate_series(1, 6) as g(n)")
    grouped = "select n / 4 as quarter, avg(n), count(*) from t group by n / 4 order by n / 4"
    assert sql.rows(grouped) == [(0, 2, 3), (1, 5, 3)]
    assert sql.rows("select n / 4, sum(n) / 2 from t group by 1 having avg(n) > 2") == [(1, 7.0)]


def test_tables_made_from_queries_in_parentheses_and_comments_are_read(sql: SqlSession) -> None:
    sql.run(
        """create table "dev"."public"."orders__dbt_tmp" as (
            -- a comment that ends like */ this
            with source as (select 1 as "ID") /* :none */
            select * from source
        );"""
    )
    sql.run('insert into "dev"."public"."orders__dbt_tmp" ("id") (select 2)')
    sql.run('alter table "dev"."public"."orders__dbt_tmp" rename to "orders"')
    assert sql.value("select sum(id) from public.orders -- the end") == 3


def test_types_are_named_as_redshift_names_them(sql: SqlSession) -> None:
    assert sql.types(
        "select 1::smallint, 1, 1::bigint, 1.5, 1::float8, true, 'a', getdate(), current_date, "
        "json_parse('[]'), '2024-01-01'::timestamptz"
    ) == [
        "int2", "int4", "int8", "numeric", "float8", "bool", "varchar", "timestamp", "date",
        "super", "timestamptz",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select * from nope", 'relation "nope" does not exist'),
        ("select nope", 'column "nope" does not exist'),
        ("select x.a from (select 1 a) t", 'missing FROM-clause entry for table "x"'),
        ("selec 1", 'syntax error at or near "selec"'),
        ("select 1 frm t where", "syntax error"),
        ("select 'abc", "unterminated quoted string"),
        ("select 1/0", "Divide by zero."),
        ("select cast('x' as int)", 'invalid input syntax for integer: "x"'),
        ("select cast('2024-13-01' as date)", 'date/time field value out of range: "2024-13-01"'),
        ("select a, count(*) from (select 1 a, 2 b) t group by b", "GROUP BY clause"),
        ("select no_such_function(1)", "function no_such_function does not exist"),
    ],
)
def test_an_error_is_worded_as_redshift_words_it(sql: SqlSession, text: str, message: str) -> None:
    with pytest.raises(SqlError) as raised:
        sql.run(text)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("call refresh_all()", "The statement CALL"),
        ("declare c cursor for select 1", "The statement DECLARE"),
        ("create function f() returns int stable as $$ select 1 $$ language sql", "FUNCTION"),
        ("create procedure p() as $$ begin end $$ language plpgsql", "CREATE PROCEDURE"),
        ("create external schema s from data catalog database 'd'", "CREATE EXTERNAL"),
        ("create table t (g geometry)", "The data type GEOMETRY"),
        ("create table t (a int check (a > 0))", "A CHECK constraint"),
        ("select * from a left join b on a.x = b.x(+)", "The outer join operator (+)"),
        ("select * from other_db.public.t", 'A query across databases ("other_db")'),
        ("set enable_case_sensitive_identifier to true", "enable_case_sensitive_identifier"),
        ("show tables from schema dev.public", "SHOW TABLES"),
        ("select 'a' similar to 'b' || '%'", "SIMILAR TO"),
        ("alter table t set table properties ('a' = 'b')", "ALTER TABLE ... SET TABLE"),
    ],
)
def test_what_is_not_supported_is_named(sql: SqlSession, text: str, what: str) -> None:
    with pytest.raises(NotSupportedLocallyError) as raised:
        sql.run(text)
    assert what in str(raised.value)
    assert "Penstock Local" in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "grant select on all tables in schema public to role analyst",
        "revoke all on t from public",
        "analyze t",
        "vacuum full t",
        "comment on table t is 'x'",
        "lock table t",
        "create user bob password 'Abc12345'",
        "create group g",
        "alter user bob connection limit 5",
        "set statement_timeout to 1000",
        "set query_group to 'loads'",
        "reset query_group",
        "create database x",
    ],
)
def test_statements_without_effect_are_accepted(sql: SqlSession, text: str) -> None:
    assert sql.run(text).rows == -1


def test_settings_of_a_session_are_kept_shown_and_reset(sql: SqlSession) -> None:
    sql.run("set timezone to 'Europe/Berlin'")
    assert sql.value("show timezone") == "Europe/Berlin"
    assert sql.value("select '2024-07-01 12:00:00+00'::timestamptz") == "2024-07-01 14:00:00+02"
    sql.run("reset timezone")
    assert sql.value("show timezone") == "UTC"
    assert sql.value("show query_group") == "default"
    with pytest.raises(NotSupportedLocallyError, match="SHOW nonsense"):
        sql.run("show nonsense")


def test_the_plan_of_a_query_is_explained(sql: SqlSession) -> None:
    assert len(sql.rows("explain select 1")) > 1
    assert sql.types("explain verbose select 1") == ["varchar"]


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "select * from read_blob('/etc/hostname')",
        "select * from parquet_scan('/etc/hostname')",
        "select * from sniff_csv('/etc/passwd')",
        "select * from read_json('/etc/passwd')",
        "select getenv('HOME')",
        "select * from query('attach ''/tmp/x.db'' as x')",
        "attach '/tmp/x.db' as x",
        "copy (select 1) to '/tmp/x'",
        "install httpfs",
        "pragma database_list",
        "set allowed_directories to '/'",
    ],
)
def test_nothing_of_the_machine_can_be_read_or_written(sql: SqlSession, text: str) -> None:
    with pytest.raises(SqlError):
        sql.run(text)
