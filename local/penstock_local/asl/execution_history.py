"""GetExecutionHistory: the events of an execution, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock_local.asl.api import Answer, Request, page_token, read_page_token
from penstock_local.asl.executions import DEFAULT_PAGE, find_execution

if TYPE_CHECKING:
    from penstock_local.asl.engine import Engine


def get_execution_history(engine: Engine, request: Request) -> Answer:
    """The events, oldest or newest first.

    The pages together show the events that there were when the first was asked for: what happens
    meanwhile does not shift them. Raises ApiError.
    """
    execution = find_execution(engine, request["executionArn"])
    reverse = bool(request.get("reverseOrder", False))
    with_data = bool(request.get("includeExecutionData", True))
    events = execution.history.events
    unchanged = {"executionArn": execution.arn, "reverse": reverse, "data": with_data}
    start, known = 0, len(events)
    if "nextToken" in request:
        position = read_page_token(request["nextToken"], **unchanged)
        start, known = position["start"], position["known"]
    size = request.get("maxResults") or DEFAULT_PAGE
    end = min(start + size, known)
    numbers = range(start, end)
    page = [events[known - 1 - number if reverse else number] for number in numbers]
    answer: Answer = {"events": [event.as_answer(include_data=with_data) for event in page]}
    if end < known:
        answer["nextToken"] = page_token(start=end, known=known, **unchanged)
    return answer
