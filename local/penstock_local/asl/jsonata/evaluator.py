"""One evaluation of one expression: the package's evaluator with its faults mended.

The package walks paths, filters, groups and lambdas as the reference does. What it does otherwise
than the reference, arithmetic and comparison, texts, ranges, order and errors, is done here, and
so are the limits that AWS sets to depth, memory and time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from jsonata import Jsonata
from jsonata.utils import Utils

from penstock_local.asl.jsonata import operators
from penstock_local.asl.jsonata.data import (
    is_function,
    is_number,
    sequence,
    to_jsonata,
)
from penstock_local.asl.jsonata.errors import JsonataError, failure, within_memory
from penstock_local.asl.jsonata.functions.arrays import merge_sorted
from penstock_local.asl.jsonata.functions.strings import string
from penstock_local.asl.jsonata.functions.values import is_true
from penstock_local.asl.jsonata.native import FUNCTIONS, Native, StrictSignature
from penstock_local.asl.jsonata.regex import Matcher
from penstock_local.asl.values import Json, number

DEPTH_LIMIT = 100
"""How deep AWS lets an evaluation nest."""

SECONDS_LIMIT = 3.0
"""Processor time of one evaluation. AWS grants one second, to a far faster evaluator."""

_CLOCK_EVERY = 256


class Variables(Jsonata.Frame):  # type: ignore[misc] # the package has no types
    """The variables that are bound outside of the expression, made ready when first looked up."""

    def __init__(self, functions: Any, values: dict[str, Json]) -> None:
        super().__init__(functions)
        self._values = values

    def lookup(self, name: str) -> Any:
        """The value of the variable; None, undefined, when there is none."""
        if name not in self.bindings and name in self._values:
            self.bindings[name] = to_jsonata(self._values[name])
        return super().lookup(name)


LIBRARY = Jsonata.Frame(None)
"""The functions that every expression can call."""
for _name, _function in FUNCTIONS.items():
    LIBRARY.bind(_name, _function)


class Evaluation(Jsonata):  # type: ignore[misc] # the package has no types
    """One evaluation of a parsed expression; `run` may be called once."""

    def __init__(self, parser: Any, ast: Any) -> None:
        # The package's own constructor parses; this one takes what was parsed before.
        self.parser = parser
        self.ast = ast
        self.environment = LIBRARY
        self.input = None
        self.started = int(time.time() * 1000)
        self._deadline: float | None = None
        self._depth = 0
        self._steps = 0

    def run(self, variables: Variables) -> Any:
        """The value of the expression; None is undefined. Raises JsonataError, JException."""
        return self.eval(self.ast, None, Jsonata.Frame(variables))

    def _check_clock(self) -> None:
        """Fail an evaluation that takes too long; a short one never asks the clock."""
        now = time.thread_time()
        if self._deadline is None:
            self._deadline = now + SECONDS_LIMIT
        elif now > self._deadline:
            raise JsonataError(None, "Expression evaluation timeout: Check for infinite loop")

    def get_per_thread_instance(self) -> Evaluation:
        """This evaluation: the package would take the last one made in the thread."""
        return self

    def eval(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002 - the package's name
        """The value of one node of the expression, within the limits."""
        self._depth += 1
        self._steps += 1
        if self._depth > DEPTH_LIMIT:
            raise JsonataError(
                None,
                "Stack overflow error: Check for non-terminating recursive function.  Consider"
                f" rewriting as tail-recursive. Depth={self._depth} max={DEPTH_LIMIT}",
            )
        if self._steps % _CLOCK_EVERY == 0:
            self._check_clock()
        before = self.input, self.environment
        try:
            return self._eval(expr, input, environment)
        finally:
            self._depth -= 1
            self.input, self.environment = before

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: str) -> Any:
        """`+ - * / %`."""
        return operators.arithmetic(lhs, rhs, op)

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: str) -> bool:
        """`=` and `!=`."""
        return operators.equal(lhs, rhs, op)

    def evaluate_comparison_expression(self, lhs: Any, rhs: Any, op: str) -> bool | None:
        """`< <= > >=`."""
        return operators.compare(lhs, rhs, op)

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> bool:
        """`in`."""
        return operators.includes(lhs, rhs)

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        """`&`."""
        return within_memory((string(lhs) or "") + (string(rhs) or ""))

    def evaluate_range_expression(self, lhs: Any, rhs: Any) -> Any:
        """`..`."""
        return operators.range_between(lhs, rhs)

    def evaluate_literal(self, expr: Any) -> Any:
        """A number, text, boolean or null as written; numbers have double precision."""
        value = super().evaluate_literal(expr)
        return number(float(value)) if is_number(value) else value

    def evaluate_unary(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """A negation, an array or an object."""
        if str(expr.value) != "-":
            return super().evaluate_unary(expr, input, environment)
        value = self.eval(expr.expression, input, environment)
        if value is None:
            return None
        if not Utils.is_numeric(value):
            raise failure("D1002", value=value, token=expr.value)
        return number(-value) if isinstance(value, float) else -value

    def evaluate_filter(self, predicate: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """The members that a predicate selects: by position, or those it holds for."""
        if predicate.type == "number":
            return operators.member_at(_members(input), math.floor(predicate.value))
        # The reference filters undefined as the one member of a list.
        members = [None] if input is None else _members(input)
        selected = sequence()
        tuples = getattr(input, "tuple_stream", False)
        selected.tuple_stream = tuples
        for index, member in enumerate(members):
            context = member["@"] if tuples else member
            frame = self.create_frame_from_tuple(environment, member) if tuples else environment
            found = self.eval(predicate, context, frame)
            selected.extend([member] * operators.selections(found, index, len(members)))
        return selected

    def evaluate_sort_expression(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """The members in the order of the terms."""
        tuples = getattr(input, "tuple_stream", False)

        def value(term: Any, member: Any) -> Any:
            if not tuples:
                return self.eval(term.expression, member, environment)
            frame = self.create_frame_from_tuple(environment, member)
            return self.eval(term.expression, member["@"], frame)

        def comes_after(first: Any, second: Any) -> bool:
            for term in expr.terms:
                order = operators.order(value(term, first), value(term, second), term.descending)
                if order:
                    return order > 0
            return False

        ordered = sequence(merge_sorted(list(_members(input)), comes_after))
        ordered.tuple_stream = tuples
        return ordered

    def evaluate_group_expression(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """An object made of an expression's members, grouped by their keys."""
        if isinstance(input, list) and not input:
            input = sequence()  # noqa: A001 - the package appends to an empty list it is given
        return super().evaluate_group_expression(expr, input, environment)

    def evaluate_apply_expression(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """`~>`: a value given to a function, or two functions made one."""
        lhs = self.eval(expr.lhs, input, environment)
        if expr.rhs.type == "function":
            return self.evaluate_function(expr.rhs, input, environment, lhs)
        func = self.eval(expr.rhs, input, environment)
        if not is_function(func):
            raise failure("T2006", value=func)
        if not is_function(lhs):
            return self.apply(func, [lhs], None, environment)
        chain = self.eval(Jsonata.chain_ast(), None, environment)
        return self.apply(chain, [lhs, func], None, environment)

    def evaluate_condition(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """The one branch or the other."""
        if is_true(self.eval(expr.condition, input, environment)):
            return self.eval(expr.then, input, environment)
        return None if expr._else is None else self.eval(expr._else, input, environment)

    def evaluate_boolean_expression(self, lhs: Any, evalrhs: Callable[[], Any], op: str) -> bool:
        """`and` and `or`, the right side only if need be."""
        if op == "and":
            return is_true(lhs) and is_true(evalrhs())
        return is_true(lhs) or is_true(evalrhs())

    def evaluate_regex(self, expr: Any) -> Matcher:
        """A regular expression as the function it is."""
        return Matcher(expr.value)

    def validate_arguments(self, signature: Any, args: Any, context: Any) -> Any:
        """The arguments of a call as the function's signature has them."""
        if not isinstance(signature, Native):
            declared = getattr(signature, "signature", None)
            if declared is not None and type(declared) is not StrictSignature:
                # The parser makes the package's own, which takes null for a missing argument.
                declared.__class__ = StrictSignature
        return super().validate_arguments(signature, args, context)

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """What a function value gives; raises T1006 for any other value."""
        if not is_function(proc):
            raise failure("T1006", value=proc)
        return within_memory(super().apply_inner(proc, args, input, environment))

    def evaluate_binary(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """An operator with two sides."""
        op = str(expr.value)
        if op not in ("and", "or"):
            return super().evaluate_binary(expr, input, environment)
        lhs = self.eval(expr.lhs, input, environment)
        return self.evaluate_boolean_expression(
            lhs, lambda: self.eval(expr.rhs, input, environment), op
        )


def _members(value: Any) -> list[Any]:
    if value is None:
        return []
    members: list[Any] = value if isinstance(value, list) else [value]
    return members
