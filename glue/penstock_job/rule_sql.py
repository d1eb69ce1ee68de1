"""SQL that says whether a record breaks a rule, and the sentence that says so to a person.

Every rule but `not_null` lets a missing value pass, as a CHECK constraint does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock_job.column_type import BOOLEAN, NUMERIC, TEXT, ColumnType, plain_number
from penstock_job.dialect import Dialect
from penstock_job.errors import SpecificationError
from penstock_job.rule import EXPRESSION, FOREIGN_KEY, NOT_NULL, RANGE, REGEX, UNIQUE, Rule

SPOKEN_VALUES = 5


def broken(rule: Rule, types: Mapping[str, ColumnType], dialect: Dialect) -> str:
    """A boolean expression over the typed columns: true where the rule is broken.

    Not for `unique` and `foreign_key`, which take a look at other records.
    """
    if rule.name == EXPRESSION:
        return f"NOT ({dialect.sql(str(rule.options['sql']))})"
    tests = [_broken_by(rule, name, types[name], dialect) for name in rule.columns]
    return " OR ".join(f"({test})" for test in tests)


def spoken(rule: Rule) -> str:
    """The reason that a rejected record is given."""
    if rule.message:
        return rule.message
    names = " and ".join(rule.columns)
    options = rule.options
    if rule.name == RANGE:
        return f"{names} is {_spoken_range(options)}"
    return {
        NOT_NULL: f"{names} is missing",
        UNIQUE: f"{names} repeats another record",
        REGEX: f"{names} does not match {options.get('pattern')}",
        FOREIGN_KEY: f"{names} is not in {options.get('references')}",
        EXPRESSION: f"not so: {options.get('sql')}",
    }.get(rule.name, f"{names} is not one of {_listed(options.get('values', ()))}")


def _spoken_range(options: Mapping[str, Any]) -> str:
    least, most = options.get("min"), options.get("max")
    if most is None:
        return f"less than {least}"
    if least is None:
        return f"more than {most}"
    return f"not between {least} and {most}"


def _listed(values: Any) -> str:
    words = [str(value) for value in values]
    more = ", …" if len(words) > SPOKEN_VALUES else ""
    return ", ".join(words[:SPOKEN_VALUES]) + more


def _broken_by(rule: Rule, name: str, column_type: ColumnType, dialect: Dialect) -> str:
    column = dialect.identifier(name)
    if rule.name == NOT_NULL:
        # A text of spaces is as missing as an empty one.
        if column_type.kind != TEXT:
            return f"{column} IS NULL"
        blank = f"CASE WHEN {column} LIKE ' %' THEN {dialect.trimmed(column)} ELSE {column} END"
        return f"coalesce({blank}, '') = ''"
    if rule.name == REGEX:
        if column_type.kind != TEXT:
            raise SpecificationError(f"rule regex is for text, and {name} is {column_type}")
        return f"NOT {dialect.matches(column, str(rule.options['pattern']))}"
    if rule.name == RANGE:
        ends = [("<", rule.options.get("min")), (">", rule.options.get("max"))]
        return " OR ".join(
            f"{column} {sign} {_value(end, name, column_type, dialect)}"
            for sign, end in ends
            if end is not None
        )
    values = [_value(value, name, column_type, dialect) for value in rule.options["values"]]
    return f"{column} NOT IN ({', '.join(values)})"


def _value(value: Any, name: str, column_type: ColumnType, dialect: Dialect) -> str:
    if column_type.kind in NUMERIC:
        try:
            return plain_number(value)
        except SpecificationError as error:
            raise SpecificationError(f"rule for {name}: {error}") from None
    if column_type.kind == BOOLEAN:
        return "TRUE" if value is True or str(value).lower() == "true" else "FALSE"
    if column_type.kind == TEXT:
        if isinstance(value, bool):  # YAML reads a bare NO as false
            raise SpecificationError(f"rule for {name}: put quotes around the text {value}")
        return dialect.literal(str(value))
    return f"CAST({dialect.literal(str(value))} AS {dialect.type_name(column_type)})"
