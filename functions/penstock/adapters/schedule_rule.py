"""The rule that calls Reconcile Runs every few minutes, on only while runs are open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class ScheduleRule:
    """A rule of EventBridge by name; without a name there is none to switch."""

    def __init__(self, client: EventBridgeClient, name: str) -> None:
        self._client = client
        self._name = name

    def enable(self) -> None:
        """Switch the rule on; it may be on already."""
        if self._name:
            self._client.enable_rule(Name=self._name)

    def disable(self) -> None:
        """Switch the rule off; it may be off already."""
        if self._name:
            self._client.disable_rule(Name=self._name)
