"""Redshift's queries as DuckDB understands them, through sqlglot.

sqlglot knows most differences. What it does not know, or gets wrong for this pair, is corrected
here: by macros of `prelude.sql` where the argument's type decides, else on the syntax tree.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parsers.redshift import RedshiftParser

from penstock_local.redshift.errors import NotSupportedLocallyError
from penstock_local.redshift.wordings import from_sqlglot
from penstock_local.redshift.words import literal

_TEXT_TYPES = (
    exp.DataType.Type.CHAR,
    exp.DataType.Type.NCHAR,
    exp.DataType.Type.VARCHAR,
    exp.DataType.Type.NVARCHAR,
    exp.DataType.Type.BPCHAR,
    exp.DataType.Type.TEXT,
)
_NOT_HERE = (
    exp.DataType.Type.GEOMETRY,
    exp.DataType.Type.GEOGRAPHY,
    exp.DataType.Type.HLLSKETCH,
)
_INTEGERS = "('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT')"

# Functions whose result depends on the type of the argument, or that DuckDB does not have.
_MACROS = {
    "GETDATE": "redshift_getdate",
    "ISNULL": "coalesce",
    "JSON_PARSE": "redshift_json_parse",
    "JSON_SERIALIZE": "redshift_json_serialize",
    "IS_VALID_JSON": "redshift_is_valid_json",
    "IS_VALID_JSON_ARRAY": "redshift_is_valid_json_array",
    "CAN_JSON_PARSE": "redshift_is_valid_json",
    "JSON_EXTRACT_ARRAY_ELEMENT_TEXT": "redshift_json_array_element",
    "JSON_ARRAY_LENGTH": "redshift_json_array_length",
    "JSON_TYPEOF": "redshift_json_typeof",
    "GET_ARRAY_LENGTH": "redshift_array_length",
    "IS_ARRAY": "redshift_is_array",
    "IS_OBJECT": "redshift_is_object",
    "STRTOL": "redshift_strtol",
    "DATE_CMP": "redshift_compare",
    "TIMESTAMP_CMP": "redshift_compare",
    "DATE_PART_YEAR": "redshift_year",
    "SHA2": "redshift_sha2",
    "FUNC_SHA1": "sha1",
    "OCTET_LENGTH": "strlen",
    "QUOTE_IDENT": "redshift_quote_ident",
    "QUOTE_LITERAL": "redshift_quote_literal",
    "CRC32": "redshift_crc32",
}


def _macro(name: str) -> Callable[[list[Any]], exp.Anonymous]:
    return lambda arguments: exp.Anonymous(this=name, expressions=arguments)


class _Parser(RedshiftParser):
    FUNCTIONS: ClassVar[dict[str, Any]] = {
        **RedshiftParser.FUNCTIONS,
        **{name: _macro(macro) for name, macro in _MACROS.items()},
        "TRUNC": lambda arguments: exp.Anonymous(
            # Of a timestamp it is the date; with a number of places it can only be a number.
            this="redshift_trunc" if len(arguments) == 1 else "trunc",
            expressions=arguments,
        ),
        "OBJECT": lambda arguments: exp.Cast(
            this=exp.Anonymous(this="json_object", expressions=arguments),
            to=exp.DataType(this=exp.DataType.Type.SUPER),
        ),
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        **RedshiftParser.NO_PAREN_FUNCTION_PARSERS,
        "SYSDATE": lambda self: self.expression(exp.Anonymous(this="redshift_sysdate")),
    }


class RedshiftQuery(Redshift):
    """Redshift as it is read here."""

    Parser = _Parser


class _Generator(DuckDBGenerator):
    TYPE_MAPPING: ClassVar[dict[Any, Any]] = {
        **DuckDBGenerator.TYPE_MAPPING,
        exp.DataType.Type.SUPER: "VARIANT",
        # Redshift's FLOAT is double precision, and sqlglot reads REAL as FLOAT too.
        exp.DataType.Type.FLOAT: "DOUBLE",
    }
    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **DuckDBGenerator.TRANSFORMS,
        exp.CurrentUser: lambda _self, _node: "getvariable('redshift_user')",
        exp.SessionUser: lambda _self, _node: "getvariable('redshift_user')",
        exp.CurrentTimestamp: lambda _self, _node: "redshift_sysdate()",
        exp.Div: lambda self, node: self.redshift_division(node),
        exp.Avg: lambda self, node: self.redshift_average(node),
        exp.Concat: lambda self, node: self.redshift_concat(node),
        exp.SimilarTo: lambda self, node: self.redshift_similar_to(node),
        exp.RegexpReplace: lambda self, node: self.redshift_regexp_replace(node),
        exp.GroupConcat: lambda self, node: self.redshift_listagg(node),
    }

    def datatype_sql(self, expression: exp.DataType) -> str:
        kind = expression.this
        if kind in _NOT_HERE:
            raise NotSupportedLocallyError(f"The data type {kind.value}")
        if kind in _TEXT_TYPES:
            return "VARCHAR"
        if kind == exp.DataType.Type.DECIMAL and not expression.expressions:
            return "DECIMAL(18,0)"
        return super().datatype_sql(expression)

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
        cast = super().cast_sql(expression, safe_prefix)
        length = expression.to.expressions
        if expression.to.this in _TEXT_TYPES and length and length[0].name.isdigit():
            # An explicit cast to a shorter CHAR or VARCHAR cuts the value off.
            return f"LEFT({cast}, {length[0].name})"
        return cast

    def unnest_sql(self, expression: exp.Unnest) -> str:
        arrays = [_as_array(part) for part in expression.expressions]
        expression.set("expressions", arrays)
        return super().unnest_sql(expression)

    def redshift_division(self, node: exp.Div) -> str:
        """Integers divide to an integer, cut off towards zero."""
        left, right = self.sql(node, "this"), self.sql(node, "expression")
        if any(
            isinstance(side, exp.Placeholder) or side.is_string
            for side in (node.this, node.expression)
        ):
            return f"{left} / {right}"
        if node.find(exp.AggFunc):
            # The macro's overloads cannot be told apart over aggregates; their types can.
            both = f"typeof({left}) IN {_INTEGERS} AND typeof({right}) IN {_INTEGERS}"
            return f"(CASE WHEN {both} THEN trunc({left} / {right}) ELSE {left} / {right} END)"
        return f"redshift_divide({left}, {right})"

    def redshift_average(self, node: exp.Avg) -> str:
        """The average of integers is an integer, cut off."""
        value = self.sql(node, "this")
        plain = not isinstance(node.this, exp.Distinct)
        if plain and not isinstance(node.parent, (exp.Window, exp.Filter)):
            return f"redshift_avg({value})"
        return f"AVG({value})"

    def window_sql(self, expression: exp.Window) -> str:
        share = expression.this
        if isinstance(share, exp.Anonymous) and share.name.upper() == "RATIO_TO_REPORT":
            value = share.expressions[0]
            expression.set("this", exp.Sum(this=value.copy()))
            return f"({self.sql(value)} / {super().window_sql(expression)})"
        window = super().window_sql(expression)
        if isinstance(expression.this, exp.Avg):
            value = self.sql(expression.this, "this")
            return (
                f"(CASE WHEN typeof({value}) IN {_INTEGERS} THEN trunc({window}) ELSE {window} END)"
            )
        return window

    def redshift_concat(self, node: exp.Concat) -> str:
        """CONCAT with a NULL is NULL."""
        return "(" + " || ".join(self.sql(part) for part in node.expressions) + ")"

    def redshift_similar_to(self, node: exp.SimilarTo) -> str:
        """DuckDB's SIMILAR TO takes regular expressions; Redshift's knows % and _ as LIKE does."""
        if not node.expression.is_string:
            raise NotSupportedLocallyError("SIMILAR TO with a pattern that is not a literal")
        pattern = re.sub(r"\\.|%|_|\.|\^|\$", _similar, node.expression.name)
        return f"regexp_full_match({self.sql(node, 'this')}, {literal(pattern)}, 's')"

    def redshift_listagg(self, node: exp.GroupConcat) -> str:
        """LISTAGG without a delimiter puts nothing between the values."""
        delimiter = self.sql(node, "separator") or "''"
        value = node.this
        order = ""
        if isinstance(value, exp.Order):
            order = " " + self.sql(exp.Order(expressions=value.expressions)).strip()
            value = value.this
        distinct = ""
        if isinstance(value, exp.Distinct):
            distinct = "DISTINCT "
            if len(value.expressions) > 1:
                delimiter = self.sql(value.expressions[1])
            value = value.expressions[0]
        return f"LISTAGG({distinct}{self.sql(value)}, {delimiter}{order})"

    def redshift_regexp_replace(self, node: exp.RegexpReplace) -> str:
        """Every occurrence is replaced, not only the first."""
        parts = [self.sql(node, key) for key in ("this", "expression", "replacement")]
        return f"regexp_replace({', '.join(part or literal('') for part in parts)}, 'g')"


def _similar(found: re.Match[str]) -> str:
    return _SIMILAR.get(found.group(), found.group())


_SIMILAR = {"%": ".*", "_": ".", ".": r"\.", "^": r"\^", "$": r"\$"}


class RedshiftOnDuckDB(DuckDB):
    """DuckDB as it is written here."""

    Generator = _Generator


# What it warns about is refused here in words of our own.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_SOURCE = RedshiftQuery()
_TARGET = RedshiftOnDuckDB()


def parse(text: str) -> exp.Expression:
    """The syntax tree of one statement, names folded to lower case."""
    try:
        trees = _SOURCE.parse(text)
    except SqlglotError as error:
        raise from_sqlglot(error) from error
    tree = trees[0]
    assert isinstance(tree, exp.Expression)
    _refuse_what_is_lost(tree)
    for identifier in list(tree.find_all(exp.Identifier)):
        # Redshift folds quoted names as well, unless told otherwise.
        identifier.set("this", identifier.name.lower())
        identifier.set("quoted", True)
    for like in list(tree.find_all(exp.Like, exp.ILike)):
        assert isinstance(like, exp.Binary)
        _escape_with_backslash(like)
    return tree


def write(tree: exp.Expression) -> str:
    """The statement in DuckDB's SQL."""
    try:
        return _TARGET.generate(tree, copy=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise from_sqlglot(error) from error


def parameters_of(tree: exp.Expression) -> tuple[str, ...]:
    """The names of the parameters that the statement uses."""
    return tuple(sorted({node.name for node in tree.find_all(exp.Placeholder) if node.name}))


def _refuse_what_is_lost(tree: exp.Expression) -> None:
    if tree.find(exp.Command):
        raise NotSupportedLocallyError("This statement")
    for column in tree.find_all(exp.Column):
        if column.args.get("join_mark"):
            raise NotSupportedLocallyError("The outer join operator (+)")
    for pivot in tree.find_all(exp.Pivot):
        if pivot.args.get("unpivot") and not pivot.expressions:
            raise NotSupportedLocallyError("UNPIVOT of a SUPER object")


def _escape_with_backslash(like: exp.Binary) -> None:
    """A backslash escapes % and _ in patterns without being asked to; in DuckDB it does not."""
    pattern = like.args["expression"]
    if isinstance(like.parent, exp.Escape) or not pattern.is_string or "\\" not in pattern.name:
        return
    like.replace(exp.Escape(this=like.copy(), expression=exp.Literal.string("\\")))


def _as_array(part: exp.Expression) -> exp.Expression:
    """SUPER arrays are unnested element by element; anything else yields no rows."""
    if isinstance(part, (exp.Column, exp.Dot, exp.Bracket)):
        return exp.TryCast(this=part.copy(), to=exp.DataType.build("VARIANT[]", dialect="duckdb"))
    return part
