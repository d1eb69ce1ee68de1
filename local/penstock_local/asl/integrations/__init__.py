"""What a Task state can call, and how: every call over HTTP, as the state machine's role."""

from penstock_local.asl.integrations.call import Call, Caller
from penstock_local.asl.integrations.errors import ParametersError
from penstock_local.asl.integrations.integrations import Endpoint, Integrations
from penstock_local.asl.integrations.resource import Resource, UnknownResourceError, parse

__all__ = [
    "Call",
    "Caller",
    "Endpoint",
    "Integrations",
    "ParametersError",
    "Resource",
    "UnknownResourceError",
    "parse",
]
