"""JSONata as Step Functions evaluates it: its own functions, its limits, its words."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_local.asl import jsonata
from penstock_local.asl.jsonata import evaluator
from penstock_local.asl.jsonata.references import References, references
from penstock_local.asl.values import compact

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def value(expression: str, **variables: Any) -> Any:
    """The value of an expression, which must have one."""
    result = jsonata.evaluate(expression, variables)
    assert result is not jsonata.UNDEFINED
    return result


def is_undefined(expression: str, **variables: Any) -> bool:
    return jsonata.evaluate(expression, variables) is jsonata.UNDEFINED


def error(expression: str, **variables: Any) -> str:
    """The text of the error that an expression ends with."""
    with pytest.raises(jsonata.JsonataError) as raised:
        jsonata.evaluate(expression, variables)
    return str(raised.value)


# Step Functions' own functions


def test_partition_cuts_an_array_into_parts() -> None:
    assert value("$partition([1..7], 3)") == [[1, 2, 3], [4, 5, 6], [7]]
    assert value("$partition([1..4], 2.9)") == [[1, 2], [3, 4]]
    assert value("$partition([1, 2])") == [[1, 2]]


@pytest.mark.parametrize(
    "expression", ["$partition([], 2)", "$partition([1], 0)", "$partition($x, 1)"]
)
def test_partition_of_nothing_is_undefined(expression: str) -> None:
    assert is_undefined(expression)


def test_partition_refuses_what_it_cannot_cut() -> None:
    assert error("$partition([1], -1)") == "D3137: Second argument must be zero or greater"
    assert error("$partition(1, 1)").startswith("T0412: Argument 1 of function")
    assert error('$partition([1], "2")').startswith("T0410: Argument 2 of function")


def test_range_counts_with_its_end() -> None:
    assert value("$range(1, 10, 3)") == [1, 4, 7, 10]
    assert value("$range(5, 1, -2)") == [5, 3, 1]
    assert value("$range(1.9, 3.9, 1)") == [1, 2, 3]
    assert value("$range(3, 3, 1)") == 3


@pytest.mark.parametrize("expression", ["$range(1, 3, 0)", "$range(1, 3, -1)", "$range(1, 3)"])
def test_a_range_that_leads_nowhere_is_undefined(expression: str) -> None:
    assert is_undefined(expression)


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        ("MD5", "md5"),
        ("SHA-1", "sha1"),
        ("SHA-256", "sha256"),
        ("SHA-384", "sha384"),
        ("SHA-512", "sha512"),
    ],
)
def test_hash_knows_the_five_algorithms_of_aws(algorithm: str, name: str) -> None:
    digest = hashlib.new(name, "grüße".encode()).hexdigest()
    assert value(f'$hash("grüße", "{algorithm}")') == digest


def test_hash_refuses_any_other_algorithm() -> None:
    assert error('$hash("a", "MD4")') == (
        "D3137: Hash algorithm 'MD4' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"
    )


def test_random_gives_the_same_number_for_the_same_seed() -> None:
    assert value("$random(42)") == 0.7275636800328681
    assert value("[$random(7), $random(7)]")[0] == value("$random(7)")
    assert 0 <= value("$random()") < 1
    assert value("$random() = $random()") is False


def test_uuid_gives_a_random_uuid_each_time() -> None:
    first, second = value("[$uuid(), $uuid()]")
    assert uuid.UUID(first).version == 4
    assert first != second


def test_parse_reads_json() -> None:
    assert value("$parse($t)", t='{"a": [1, null, "x"]}') == {"a": [1, None, "x"]}
    assert value("$parse('null')") is None
    assert is_undefined("$parse($nothing)")


def test_parse_knows_no_negative_zero() -> None:
    assert compact(value("$parse('-0')")) == "0"
    assert compact(value("$parse('-0.0')")) == "0"


@pytest.mark.parametrize("text", ["", "{", "NaN", "1e999", '{"a":1,"a":2}', "'x'"])
def test_parse_refuses_what_is_not_json(text: str) -> None:
    assert error("$parse($t)", t=text) == "D3137: Invalid JSON"


@pytest.mark.parametrize("name", ["eval", "randomSeeded"])
def test_functions_that_do_not_exist_cannot_be_called(name: str) -> None:
    assert error(f"${name}('1')") == "T1006: Attempted to invoke a non-function"


@pytest.mark.parametrize(
    "expression",
    ["$uuid(1)", "$parse('1', 2)", "$hash('a', 'MD5', 1)", "$range(1, 2, 3, 4)"],
)
def test_surplus_arguments_are_refused(expression: str) -> None:
    assert error(expression).startswith("T0410: Argument ")


# Values


@given(JSON_VALUES)
def test_a_variable_comes_back_as_it_was(given_value: Any) -> None:
    assert compact(value("$x", x=given_value)) == compact(given_value)


@given(JSON_VALUES)
def test_parse_takes_back_what_string_writes(given_value: Any) -> None:
    again = value("$parse($string([$x]))", x=given_value)
    assert value("$string([$x]) = $string($y)", x=given_value, y=again)


def test_null_is_a_value_and_undefined_is_none() -> None:
    assert value("$x", x=None) is None
    assert value("$x.a", x={"a": None}) is None
    assert is_undefined("$x.b", x={"a": None})
    assert value("$exists($x.a)", x={"a": None}) is True
    assert value('{"a": $x.a, "b": $x.b}', x={"a": None}) == {"a": None}


def test_a_sequence_of_one_member_is_that_member() -> None:
    assert value("$x.a", x=[{"a": 1}]) == 1
    assert value("$x.a[]", x=[{"a": 1}]) == [1]
    assert value("$x", x=[7]) == [7]


def test_whole_numbers_stay_whole() -> None:
    assert compact(value("$x + 1", x=2.0)) == "3"
    assert compact(value("6 / 2")) == "3"
    assert compact(value("0 * -1")) == "0"
    assert compact(value("7 / 2")) == "3.5"


def test_what_is_no_number_becomes_a_text_as_on_aws() -> None:
    assert value("1 / 0") == "Infinity"
    assert value("-1 / 0") == "-Infinity"
    assert value('$parseInteger("abc", "0")') == "NaN"


def test_a_function_is_no_result() -> None:
    for expression in ("$sum", "function($x){$x}", "[$sum]", '{"f": $sum}'):
        with pytest.raises(jsonata.UnsupportedResultError):
            jsonata.evaluate(expression, {})


def test_variables_are_not_changed_by_expressions() -> None:
    order = {"lines": [{"n": 2}, {"n": 1}]}
    before = json.dumps(order)
    value("$append($x.lines, 1) ~> $reverse()", x=order)
    value('$x ~> |lines|{"n": 0}|', x=order)
    value("$sort($x.lines, function($a, $b){$a.n > $b.n})", x=order)
    assert json.dumps(order) == before


def test_expressions_cannot_reach_an_input_of_their_own() -> None:
    assert is_undefined("a.b")
    assert is_undefined("$")


# Time


def test_now_and_millis_are_the_same_moment_all_through_an_expression() -> None:
    assert value("$now() = $fromMillis($millis())") is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value("$now()"))
    assert value('$now("[Y0001]-[M01]", "+0200")')


# Faults


def test_an_error_has_the_code_and_the_words_of_jsonata() -> None:
    with pytest.raises(jsonata.JsonataError) as raised:
        jsonata.evaluate("$uppercase(1) ~> $x", {})
    assert raised.value.code == "T0410"
    assert error("$x()") == "T1006: Attempted to invoke a non-function"
    assert error("1 + 'a'") == (
        'T2002: The right side of the "+" operator must evaluate to a number'
    )
    assert error('$number("x")').startswith('D3030: Unable to cast value to a number: "x"')


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("1 +", "S0207"),
        ("(1", "S0203"),
        ('"open', "S0101"),
        ("/* open", "S0106"),
        ("1 1", "S0201"),
        ("", "S0207"),
        ("/[/", "S0302"),
    ],
)
def test_an_expression_that_cannot_be_parsed_says_why(expression: str, code: str) -> None:
    with pytest.raises(jsonata.JsonataError) as raised:
        jsonata.check(expression)
    assert raised.value.code == code


@pytest.mark.parametrize(
    "expression", ['$formatNumber(5, "a")', "$sort([1, 'a'])", "$lookup(1, 2)"]
)
def test_no_expression_makes_the_engine_fail(expression: str) -> None:
    with pytest.raises(jsonata.JsonataError):
        jsonata.evaluate(expression, {})


@given(st.text(alphabet="$()[]{}.,:;+-*/%&|=<>!?@#^~\"'` \\ab01nulltrue\n", max_size=25))
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    with contextlib.suppress(jsonata.JsonataError, jsonata.UnsupportedResultError):
        jsonata.evaluate(text, {})


# Limits


def nested(opening: str, closing: str, depth: int) -> str:
    return opening * depth + "1" + closing * depth


@pytest.mark.parametrize(
    ("deepest", "too_deep"),
    [
        ("+".join(["1"] * 100), "+".join(["1"] * 101)),
        (nested("(", ")", 99), nested("(", ")", 100)),
        (nested("[", "]", 99), nested("[", "]", 100)),
        ("1" + " ~> $string" * 99, "1" + " ~> $string" * 100),
        (
            "($f := function($x){$x <= 0 ? 0 : 1 + $f($x-1)}; $f(31))",
            "($f := function($x){$x <= 0 ? 0 : 1 + $f($x-1)}; $f(32))",
        ),
    ],
)
def test_an_evaluation_nests_a_hundred_deep_and_no_deeper(deepest: str, too_deep: str) -> None:
    value(deepest)
    assert error(too_deep) == (
        "Stack overflow error: Check for non-terminating recursive function.  Consider rewriting"
        " as tail-recursive. Depth=101 max=100"
    )


@pytest.mark.parametrize(
    "expression",
    ["($f := function($x){$f($x + 1)}; $f(1))", "$map([1..800000], function($x){$x * 2 + 1})"],
)
def test_an_evaluation_that_does_not_end_is_ended(
    expression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluator, "SECONDS_LIMIT", 0.05)
    assert error(expression) == "Expression evaluation timeout: Check for infinite loop"


@pytest.mark.parametrize(
    "expression",
    [
        "[1..873783]",
        "$range(1, 360146, 1)",
        "$range(1, 1000000000, 1)",
        '($d := function($s, $n){$n = 0 ? $s : $d($s & $s, $n - 1)}; $d("x", 23))',
        '$pad("x", 10000000)',
    ],
)
def test_an_evaluation_that_takes_too_much_memory_is_ended(expression: str) -> None:
    assert error(expression) == (
        "Expression evaluation memory limit exceeded: Check for excessive memory usage"
    )


def test_an_expression_that_is_nested_absurdly_is_an_error() -> None:
    assert error(nested("(", ")", 5000)) == "The expression is nested too deeply"


# Parsing


def test_an_expression_is_parsed_once() -> None:
    assert jsonata.parse("$a + 1") is jsonata.parse("$a + 1")


def test_expressions_can_be_evaluated_on_several_threads_at_once() -> None:
    results: dict[int, list[Any]] = {}

    def work(number: int) -> None:
        expression = "$map([1..50], function($v){$v * $n}) ~> $sum()"
        results[number] = [value(expression, n=number) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: [1275 * number] * 10 for number in range(4)}


# References


@pytest.mark.parametrize(
    ("expression", "variables"),
    [
        ("$a + $b * $a", ("a", "b")),
        ("$states.input.x", ()),
        ("($x := $y; $x + $z)", ("y", "z")),
        ("$map($list, function($v, $i){$v + $w})", ("list", "w")),
        ("($f := function($n){$n = 0 ? 1 : $f($n - 1)}; $f(3))", ()),
        ("$list@$o#$i.{'o': $o, 'i': $i, 'n': $n}", ("list", "n")),
        ("$list[$k = k]{$g: v}", ("list", "k", "g")),
        ("$list^(>$k)", ("list", "k")),
        ("$x ~> |a|{'b': $c}|", ("x", "c")),
        ("$string ~> $uppercase", ()),
        ("$sum($orders.(price * qty))", ("orders",)),
    ],
)
def test_the_variables_of_an_expression_are_those_it_does_not_bind(
    expression: str, variables: tuple[str, ...]
) -> None:
    assert references(expression).variables == variables


def test_references_tell_of_states_fields_context_and_root() -> None:
    assert references("$states.errorOutput.Cause & $states.input") == References(
        (), ("errorOutput", "input"), (), root=False
    )
    assert references("phone").context == ("phone",)
    assert references("$").context == ("$",)
    assert references("$$.a").root is True
    assert references("$list[a = 1].b").context == ()
