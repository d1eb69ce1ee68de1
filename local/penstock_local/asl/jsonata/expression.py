"""Expressions: parsed once, evaluated often."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonata.jexception import JException

from penstock_local.asl.jsonata import functions
from penstock_local.asl.jsonata.data import UNDEFINED, Undefined, to_json
from penstock_local.asl.jsonata.errors import JsonataError, translated
from penstock_local.asl.jsonata.evaluator import LIBRARY, Evaluation, Variables
from penstock_local.asl.jsonata.native import current
from penstock_local.asl.jsonata.tokens import ExpressionParser
from penstock_local.asl.values import Json

_parsing = threading.local()
_CACHED = 4096
_CRASHES = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)

assert functions.__all__, "the library registers itself when it is imported"


class Bindings:
    """Variables for expressions to read; made ready once for all expressions that share them."""

    __slots__ = ("frame",)

    def __init__(self, variables: Mapping[str, Json]) -> None:
        self.frame = Variables(LIBRARY, dict(variables))


@lru_cache(maxsize=_CACHED)
def parse(expression: str) -> Any:
    """The expression's syntax tree, which nobody may change; raises JsonataError."""
    try:
        return _parser().parse(expression)
    except JException as fault:
        raise translated(fault) from None
    except RecursionError:
        raise JsonataError(None, "The expression is nested too deeply") from None
    except _CRASHES as fault:
        raise JsonataError(None, f"The expression cannot be parsed: {fault}") from fault


def _parser() -> Any:
    if not hasattr(_parsing, "parser"):
        _parsing.parser = ExpressionParser()
    return _parsing.parser


def check(expression: str) -> None:
    """Parse the expression; raises `JsonataError` when it is not JSONata."""
    parse(expression)


def evaluate(expression: str, bindings: Bindings | Mapping[str, Json]) -> Json | Undefined:
    """The value of the expression, or `UNDEFINED`.

    Raises `JsonataError`, and `UnsupportedResultError` when the value is a function.
    """
    tree = parse(expression)
    bound = bindings if isinstance(bindings, Bindings) else Bindings(bindings)
    evaluation = Evaluation(_parser(), tree)
    token = current.set(evaluation)
    try:
        return to_json(evaluation.run(bound.frame))
    except JException as fault:
        raise translated(fault) from None
    except RecursionError:
        raise JsonataError(None, "Stack overflow error") from None
    except _CRASHES as fault:
        # Where the reference crashes, the state fails; the engine must not.
        raise JsonataError(None, str(fault)) from fault
    finally:
        current.reset(token)


__all__ = ["UNDEFINED", "Bindings", "check", "evaluate", "parse"]
