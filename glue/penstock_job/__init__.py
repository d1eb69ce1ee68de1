"""What the jobs that ship with Penstock share: one job contract, one specification, two engines."""

from __future__ import annotations

__version__ = "1.0.0"
