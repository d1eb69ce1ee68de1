"""Findings about definitions, as CreateStateMachine words them."""

from __future__ import annotations

from typing import Any

from tests.local.asl.world import one

from penstock_local.asl.validation import diagnose

SCHEMA = "SCHEMA_VALIDATION_FAILED: "


def findings(definition: dict[str, Any], kind: str = "STANDARD") -> list[str]:
    """What is found wrong with a machine; the commonest code is left out."""
    found = diagnose({"QueryLanguage": "JSONata", **definition}, kind)
    return [str(diagnostic).removeprefix(SCHEMA) for diagnostic in found]


def of_state(state: dict[str, Any], kind: str = "STANDARD") -> list[str]:
    """What is found wrong with a machine of one state named Only; its targets A and B exist."""
    definition = one(state)
    definition["States"] |= {name: {"Type": "Succeed"} for name in "AB"}
    found = findings(definition, kind)
    return [line for line in found if "is not reachable" not in line]
