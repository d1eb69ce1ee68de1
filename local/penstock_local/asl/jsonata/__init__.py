"""JSONata expressions, as Step Functions evaluates them.

The dialect is JSONata 2.0.6 without $eval and with Step Functions' own functions. Where the
evaluator stops at a limit, depth, memory or time, it words that as AWS does.
"""

from penstock_local.asl.jsonata.data import UNDEFINED, Undefined
from penstock_local.asl.jsonata.errors import JsonataError, UnsupportedResultError
from penstock_local.asl.jsonata.expression import Bindings, check, evaluate, parse

__all__ = [
    "UNDEFINED",
    "Bindings",
    "JsonataError",
    "Undefined",
    "UnsupportedResultError",
    "check",
    "evaluate",
    "parse",
]
