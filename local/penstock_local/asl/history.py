"""What happened in an execution, event by event, as GetExecutionHistory tells it.

A history is one list; what branches is the chain of `previousEventId`. Every path through the
machine (the execution itself, one iteration, one branch) walks with a `Trail` of its own, which
remembers the event that the path's next one follows.
"""

from __future__ import annotations

import json
import time
import zlib
from typing import Any

from penstock_local.asl.errors import RUNTIME, StateError

EVENT_LIMIT = 25_000
"""Events that the history of a standard execution can have."""

SHORT = 500
"""Events of a history that is worth compressing, and quickly compressed."""

_AS_IS = "surrogatepass"  # a JSON text may hold half a surrogate pair; it must survive

_TRUNCATION = {
    "input": "inputDetails",
    "output": "outputDetails",
    "assignedVariables": "assignedVariablesDetails",
}
_EXECUTION_DATA = frozenset({*_TRUNCATION, *_TRUNCATION.values(), "parameters"})


class HistoryFullError(StateError):
    """The execution has as many events as the service keeps."""

    def __init__(self) -> None:
        super().__init__(
            RUNTIME,
            f"The execution reached the maximum number of history events ({EVENT_LIMIT}).",
        )


class Event:
    """One entry of a history; `details` is None where the service sends none."""

    __slots__ = ("details", "id", "previous", "timestamp", "type")

    def __init__(
        self,
        number: int,
        previous: int,
        kind: str,
        details: dict[str, Any] | None,
        timestamp: float,
    ) -> None:
        self.id = number
        self.previous = previous
        self.type = kind
        self.details = details
        self.timestamp = timestamp

    def as_answer(self, *, include_data: bool = True) -> dict[str, Any]:
        """The event as the API writes it, its timestamp in seconds."""
        answer: dict[str, Any] = {
            "timestamp": round(self.timestamp, 3),
            "type": self.type,
            "id": self.id,
            "previousEventId": self.previous,
        }
        if self.details is not None:
            answer[_details_key(self.type)] = _written(self.details, include_data=include_data)
        return answer


class History:
    """The events of one execution, in order; once closed it takes no more.

    A short history is compressed when it is closed: ten thousand ended children would otherwise
    hold hundreds of megabytes of inputs and outputs that nearly repeat each other. A long one would
    hold up the engine's loop meanwhile.
    """

    __slots__ = ("_events", "_length", "_packed", "closed")

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._length = 0
        self._packed: bytes | None = None
        self.closed = False

    def __len__(self) -> int:
        return self._length

    @property
    def events(self) -> list[Event]:
        """All events so far."""
        return self._events if self._packed is None else _unpack(self._packed)

    def append(self, previous: int, kind: str, details: dict[str, Any] | None) -> int:
        """Add an event and return its id.

        A closed history stays as it is: what a stopped execution still winds down is no longer
        part of its story. Raises HistoryFullError when only the closing event fits.
        """
        if self.closed:
            return previous
        if self._length >= EVENT_LIMIT - 1 and not kind.startswith("Execution"):
            raise HistoryFullError
        self._length += 1
        self._events.append(Event(self._length, previous, kind, details, time.time()))
        return self._length

    def close(self, previous: int, kind: str, details: dict[str, Any]) -> None:
        """Add the last event of the execution; nothing follows until it is opened again."""
        self.append(previous, kind, details)
        self.closed = True
        if self._length <= SHORT:
            self._packed = _pack(self._events)
            self._events = []

    def reopen(self) -> None:
        """Take events again: the execution is redriven."""
        self._events = self.events
        self._packed = None
        self.closed = False


class Trail:
    """One path through the machine: the history, and the event that the next one follows."""

    __slots__ = ("history", "last")

    def __init__(self, history: History, last: int = 0) -> None:
        self.history = history
        self.last = last

    def record(self, kind: str, details: dict[str, Any] | None = None) -> int:
        """Add an event to this path and go on from it."""
        self.last = self.note(kind, details)
        return self.last

    def note(self, kind: str, details: dict[str, Any] | None = None) -> int:
        """Add an event that points to this path's last one, without going on from it.

        The service does so with the events that sum up a fan-out: what comes after
        MapIterationSucceeded still follows the iteration's own last event.
        """
        return self.history.append(self.last, kind, details)

    def fork(self) -> Trail:
        """A path that starts where this one is."""
        return Trail(self.history, self.last)


def _pack(events: list[Event]) -> bytes:
    rows = [(event.previous, event.type, event.details, event.timestamp) for event in events]
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode("utf-8", _AS_IS), level=1)


def _unpack(packed: bytes) -> list[Event]:
    rows = json.loads(zlib.decompress(packed).decode("utf-8", _AS_IS))
    return [Event(number, *row) for number, row in enumerate(rows, start=1)]


def _details_key(kind: str) -> str:
    for suffix in ("StateEntered", "StateExited"):
        if kind.endswith(suffix):
            kind = suffix
    return f"{kind[0].lower()}{kind[1:]}EventDetails"


def _written(details: dict[str, Any], *, include_data: bool) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for key, value in details.items():
        written[key] = value
        if key in _TRUNCATION:
            written[_TRUNCATION[key]] = {"truncated": False}
    if include_data:
        return written
    return {key: value for key, value in written.items() if key not in _EXECUTION_DATA}
