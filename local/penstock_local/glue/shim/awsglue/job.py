"""Glue's `Job`, which has to do with bookmarks only; there are none here."""

from __future__ import annotations

from typing import Any

from .context import GlueContext


class Job:
    """The start and the end of a script's work."""

    def __init__(self, glue_context: GlueContext) -> None:
        self.glue_context = glue_context
        self.initialized = False
        self.job_name = ""

    def init(self, job_name: str, args: dict[str, Any] | None = None) -> None:
        """Begin."""
        self.job_name, self.args = job_name, args or {}
        self.initialized = True

    def commit(self) -> None:
        """End; on AWS this is where bookmarks move on."""

    def isInitialized(self) -> bool:  # noqa: N802
        """Whether `init` has been called."""
        return self.initialized
