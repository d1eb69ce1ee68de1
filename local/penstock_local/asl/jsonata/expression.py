"""Expressions: parsed once, evaluated often."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonata.jexception import JException
from jsonata.parser import Parser

from penstock_local.asl.jsonata import functions
from penstock_local.asl.jsonata.data import UNDEFINED, Undefined, to_json
from penstock_local.asl.jsonata.errors import JsonataError, failure, translated
from penstock_local.asl.jsonata.evaluator import LIBRARY, Evaluation, Variables
from penstock_local.asl.jsonata.native import current
from penstock_local.asl.jsonata.regex import compile_pattern
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
        return _parser().parse(expression, compile_pattern)
    except JException as fault:
        raise _syntax_error(expression, fault) from None
    except IndexError:
        # The package reads past the end of a comment that is not closed.
        raise failure("S0106") from None
    except RecursionError:
        raise JsonataError(None, "The expression is nested too deeply") from None


_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([Ee][-+]?[0-9]+)?")


def _syntax_error(expression: str, fault: JException) -> JsonataError:
    """The error in the reference's words, where the package leaves something out."""
    if fault.error == "S0102":
        token = _NUMBER.match(expression, fault.location)
        return failure("S0102", token=token[0] if token else None)
    if fault.error == "S0301" and fault.current is not None:
        return failure("S0103", token=fault.current)
    return translated(fault)


def _parser() -> Any:
    if not hasattr(_parsing, "parser"):
        _parsing.parser = Parser()
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
