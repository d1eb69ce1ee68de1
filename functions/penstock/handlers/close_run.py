"""Close Run: gives a run its verdict, and writes the digest and the run log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.handlers.function import function, logger, measure
from penstock.handlers.parts import Parts

if TYPE_CHECKING:
    from penstock.domain.messages import CloseRunRequest, CloseRunResponse

parts = Parts()


@function
def handler(event: CloseRunRequest) -> CloseRunResponse:
    """Settle what nobody else will, then judge the run as a whole; closing again is harmless."""
    logger.append_keys(job_id=event["job_id"])
    run, response = parts.closer.close(event)
    measure(run.category or "unknown", {f"Runs{response['verdict'].title()}": 1})
    parts.closer.release(run)
    logger.info("run closed", extra={"verdict": response["verdict"], "outcomes": run.outcomes})
    return response
