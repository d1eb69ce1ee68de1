"""What the services cost, as a parameter of the template: prices differ by region and change.

The defaults are the list prices of us-east-1 (aws.amazon.com/glue/pricing, /emr/pricing,
/fargate/pricing, /step-functions/pricing): dollars per DPU-hour, vCPU-hour, GB-hour, transition.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class InvalidPricesError(ValueError):
    """The parameter Prices is no JSON object of numbers with a date."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars per unit, and the day they were looked up."""

    as_of: str = "2026-11-01"
    glue_dpu_hour: float = 0.44
    emr_vcpu_hour: float = 0.052624
    emr_gb_hour: float = 0.0057785
    fargate_vcpu_hour: float = 0.04048
    fargate_gb_hour: float = 0.004445
    state_transition: float = 0.000025

    @classmethod
    def from_text(cls, text: str) -> Prices:
        """Read the JSON of the parameter; what it leaves out has its default."""
        try:
            stated = json.loads(text or "{}")
        except ValueError:
            raise InvalidPricesError(f"Prices is no JSON: {text!r}") from None
        known = {field.name for field in fields(cls)}
        if not isinstance(stated, dict) or stated.keys() - known:
            raise InvalidPricesError(
                f"Prices has to be a JSON object of {', '.join(sorted(known))}"
            )
        return cls(**{name: _value(name, value) for name, value in stated.items()})

    def dollars(self, usage: Mapping[str, float]) -> float | None:
        """Return what was used in dollars, or None if nobody said what was used."""
        return sum(getattr(self, unit) * used for unit, used in usage.items()) if usage else None


def _value(name: str, value: Any) -> Any:
    if name == "as_of":
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise InvalidPricesError(f"Prices: {name} is {value!r}, no price in dollars")
    return float(value)
