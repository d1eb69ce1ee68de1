"""Functions that expressions can call, written in Python."""

from __future__ import annotations

import contextvars
import inspect
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from jsonata import Jsonata
from jsonata.jexception import JException
from jsonata.signature import Signature

from penstock_local.asl.jsonata.data import NULL
from penstock_local.asl.jsonata.errors import signature_failure

if TYPE_CHECKING:
    from penstock_local.asl.jsonata.evaluator import Evaluation

current: contextvars.ContextVar[Evaluation] = contextvars.ContextVar("evaluation")
"""The evaluation that is under way, for functions that call functions."""


_UNNAMED = "lambda"


class StrictSignature(Signature):  # type: ignore[misc] # the package has no types
    """A signature that tells null from a missing argument, as the reference does."""

    def get_symbol(self, value: Any) -> str:
        """The letter of the value's type."""
        symbol: str = "l" if value is NULL else super().get_symbol(value)
        return symbol

    def throw_validation_error(
        self,
        bad_args: Any,  # noqa: ARG002 - the package's names
        bad_sig: str | None,
        function_name: str | None,
    ) -> NoReturn:
        """Raise T0410 for the first argument that does not fit."""
        good_to, pattern = 0, ""
        for param in self._params:
            pattern += param.regex
            match = re.match(pattern, bad_sig or "")
            if match is None:
                break
            good_to = match.end()
        name = None if function_name == _UNNAMED else function_name
        raise JException("T0410", -1, good_to + 1, name)


class Native(Jsonata.JFunction):  # type: ignore[misc] # the package has no types
    """A function by name, JSONata signature and Python implementation.

    The implementation gets as many arguments as it has parameters; missing ones are None. Its
    arity, for functions that it is given to, does not count parameters with a default.
    """

    def __init__(self, name: str, signature: str, implementation: Callable[..., Any]) -> None:
        super().__init__(None, None)
        self.function_name = name
        self.signature = StrictSignature(signature, name)
        self._implementation = implementation
        parameters = inspect.signature(implementation).parameters.values()
        self._takes_any_number = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self._parameters = len(parameters)
        self.arity = sum(p.default is p.empty for p in parameters)

    def validate(self, args: Any, context: Any) -> Any:
        """The arguments that the implementation gets; raises JsonataError T0410 to T0412."""
        try:
            return self.signature.validate(args, context)
        except JException as fault:
            raise signature_failure(str(fault.error), self.function_name, fault) from None

    def call(self, input: Any, args: Sequence[Any] | None) -> Any:  # noqa: A002, ARG002 - the package's names
        """What the function gives for these arguments."""
        given = list(args or ())
        if self._takes_any_number:
            return self._implementation(*given)
        missing = self._parameters - len(given)
        return self._implementation(*given[: self._parameters], *[None] * missing)

    def get_number_of_args(self) -> int:
        """How many parameters the function has."""
        return self._parameters


FUNCTIONS: dict[str, Native] = {}
"""Every function of the dialect, by name."""


def function(name: str, signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the decorated function callable from expressions as $name."""

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS[name] = Native(name, signature, implementation)
        return implementation

    return register


def call(func: Any, *args: Any) -> Any:
    """Call a function value with these arguments."""
    evaluation = current.get()
    return evaluation.apply(func, list(args), None, evaluation.environment)


def call_with_as_many(func: Any, *args: Any) -> Any:
    """Call a function value with as many of the arguments as it takes, one at least."""
    return call(func, *args[: max(1, arity(func))])


def arity(func: Any) -> int:
    """How many arguments a function value takes."""
    return func.arity if isinstance(func, Native) else len(func.arguments)
