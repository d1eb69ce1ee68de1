"""EventBridge Scheduler as AWS runs it: the schedule's time zone, its role, its input.

ministack reads every cron expression in UTC, invokes targets in no one's name, and passes the
context attributes of an input (`<aws.scheduler.scheduled-time>`) on as they stand. Here the
sweep over the schedules is our own; ministack keeps the API and the store.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import boto3
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import eventbridge, scheduler

from penstock_local import pins, sessions
from penstock_local.settings import LocalSettings

log = logging.getLogger(__name__)

Schedule = dict[str, Any]


def install(settings: LocalSettings) -> None:
    """Take the place of ministack's sweep over the schedules."""
    for name in ("_parse_rate_seconds", "_parse_cron_fields", "_cron_next_fire", "_invoke_target"):
        pins.require(hasattr(eventbridge, name), f"eventbridge.{name}")
    pins.require(hasattr(scheduler._schedules, "_data"), "scheduler._schedules._data")
    pins.replace(scheduler, "_tick_schedules", Sweep(settings).run)


class Sweep:
    """Fires each schedule that is due, once per occurrence."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings
        self._last: dict[Any, float] = {}

    def run(self, now: float | None = None) -> None:
        """One sweep; `now` is seconds since the epoch."""
        now = time.time() if now is None else now
        for key, schedule in list(scheduler._schedules._data.items()):
            last = self._last.setdefault(key, float(schedule.get("CreationDate") or now))
            occurrence = next_occurrence(schedule, last) if _is_active(schedule, now) else None
            if occurrence is None or occurrence > now:
                continue
            self._last[key] = max(now, occurrence)
            account, region, _ = key
            set_request_account_id(account)
            set_request_region(region)
            try:
                self._fire(schedule, occurrence)
            except Exception:  # as on AWS nobody waits for the answer: the log tells
                log.exception("The schedule %s could not invoke its target", schedule.get("Arn"))
            if schedule.get("ActionAfterCompletion") == "DELETE" and is_one_time(schedule):
                scheduler._schedules._data.pop(key, None)

    def _fire(self, schedule: Schedule, occurrence: float) -> None:
        target = dict(schedule.get("Target") or {})
        target["Input"] = with_context(target.get("Input") or "{}", schedule, occurrence)
        if ":states:" in target["Arn"]:
            self._start_execution(target)
            return
        event = {
            "EventId": str(uuid.uuid4()),
            "Source": "aws.scheduler",
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "Time": occurrence,
            "Resources": [schedule.get("Arn", "")],
        }
        eventbridge._invoke_target(target, event, schedule)

    def _start_execution(self, target: dict[str, Any]) -> None:
        """Start the state machine in the name of the schedule's role, as the service does."""
        session = sessions.role_session(target["RoleArn"], "scheduler", "scheduler.amazonaws.com")
        client = boto3.client(
            "stepfunctions",
            endpoint_url=self._settings.endpoint,
            region_name=self._settings.region,
            aws_access_key_id=session.access_key,
            aws_secret_access_key=session.secret_key,
            aws_session_token=session.token,
        )
        client.start_execution(stateMachineArn=target["Arn"], input=target["Input"])


def next_occurrence(schedule: Schedule, after: float) -> float | None:
    """When a schedule fires next after a moment, both in seconds since the epoch.

    None when its expression cannot be read, or when a one-time schedule has fired.
    """
    expression = schedule.get("ScheduleExpression", "")
    zone = ZoneInfo(schedule.get("ScheduleExpressionTimezone") or "UTC")
    if is_one_time(schedule):
        moment = dt.datetime.fromisoformat(expression.strip()[3:-1]).replace(tzinfo=zone)
        return moment.timestamp() if moment.timestamp() > after else None
    seconds = eventbridge._parse_rate_seconds(expression)
    if seconds is not None:
        return after + float(seconds)
    fields = eventbridge._parse_cron_fields(expression)
    if fields is None:
        return None
    # The cron arithmetic knows UTC only: give it the wall clock of the zone.
    wall = dt.datetime.fromtimestamp(after, zone).replace(tzinfo=dt.UTC)
    fires = eventbridge._cron_next_fire(fields, wall)
    return fires.replace(tzinfo=zone).timestamp() if fires else None


def with_context(text: str, schedule: Schedule, occurrence: float) -> str:
    """An input with the context attributes that AWS documents filled in."""
    moment = dt.datetime.fromtimestamp(int(occurrence), dt.UTC)
    attributes = {
        "<aws.scheduler.schedule-arn>": schedule.get("Arn", ""),
        "<aws.scheduler.scheduled-time>": moment.isoformat().replace("+00:00", "Z"),
        "<aws.scheduler.execution-id>": str(uuid.uuid4()),
        "<aws.scheduler.attempt-number>": "1",
    }
    for name, value in attributes.items():
        text = text.replace(name, value)
    return text


def is_one_time(schedule: Schedule) -> bool:
    """Whether the schedule is an `at(...)` expression."""
    return str(schedule.get("ScheduleExpression", "")).strip().startswith("at(")


def _is_active(schedule: Schedule, now: float) -> bool:
    start, end = _epoch(schedule.get("StartDate")), _epoch(schedule.get("EndDate"))
    begun = start is None or start <= now
    return schedule.get("State") == "ENABLED" and begun and (end is None or now <= end)


def _epoch(moment: Any) -> float | None:
    if moment is None or isinstance(moment, int | float):
        return moment
    return dt.datetime.fromisoformat(str(moment)).timestamp()
