"""Glue's `Job`, which has to do with bookmarks only; there are none here."""

from __future__ import annotations

from typing import Any, Dict, Optional

from .context import GlueContext


class Job:
    """The start and the end of a script's work."""

    def __init__(self, glue_context: GlueContext) -> None:
        self.glue_context = glue_context
        self.initialized = False

    def init(self, job_name: str, args: Optional[Dict[str, Any]] = None) -> None:
        """Begin."""
        self.initialized = True

    def commit(self) -> None:
        """End; on AWS this is where bookmarks move on."""

    def isInitialized(self) -> bool:  # noqa: N802
        """Whether `init` has been called."""
        return self.initialized
