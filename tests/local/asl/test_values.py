"""JSON values: their text, their size, their type names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_local.asl.values import compact, number, size, type_name

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-(2.0**53), 2.0**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_text_is_compact_and_keeps_every_character() -> None:
    assert compact({"a": [1, "grüße 🌍", None, True]}) == '{"a":[1,"grüße 🌍",null,true]}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (1e21, "1e+21"),
        (2.0**53, "9007199254740992"),
        (1e18, "1000000000000000000"),
        ([2.0, {"a": 3.0}], '[2,{"a":3}]'),
        (12345678901234567890, "12345678901234567890"),
    ],
)
def test_whole_numbers_have_no_fraction(value: Any, text: str) -> None:
    assert compact(value) == text


@given(VALUES)
def test_the_text_says_the_value(value: Any) -> None:
    assert json.loads(compact(value)) == value


@given(FLOATS)
def test_a_number_stays_the_number_it_is(value: float) -> None:
    assert float(number(value)) == value


def test_not_a_number_has_no_text() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        compact(float("nan"))


@given(VALUES)
def test_the_size_counts_bytes(value: Any) -> None:
    assert size(value) == len(compact(value).encode())


def test_half_a_character_can_be_counted() -> None:
    assert size("\ud83c") == 5


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (0, "number"),
        (0.5, "number"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_every_value_has_a_type_name(value: Any, name: str) -> None:
    assert type_name(value) == name


def test_what_is_no_json_has_none() -> None:
    with pytest.raises(TypeError, match="not a JSON value"):
        type_name(object())
