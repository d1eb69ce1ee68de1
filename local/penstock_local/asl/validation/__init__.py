"""Whether a definition is a state machine: what CreateStateMachine accepts and refuses.

The rules, their codes and their texts are those of the real service as far as they were measured
with its ValidateStateMachineDefinition; the rest follows the Amazon States Language.
"""

from penstock_local.asl.validation.expressions import variable_references
from penstock_local.asl.validation.findings import Diagnostic
from penstock_local.asl.validation.machine import (
    InvalidDefinitionError,
    diagnose,
    diagnose_text,
    parse,
)

__all__ = [
    "Diagnostic",
    "InvalidDefinitionError",
    "diagnose",
    "diagnose_text",
    "parse",
    "variable_references",
]
