"""The parts that the functions are put together from, each made when it is first used."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from penstock.adapters import clients
from penstock.adapters.control_table import ControlTable
from penstock.adapters.error_queue import ErrorQueue
from penstock.adapters.executions import Executions
from penstock.adapters.job_items import JobItems
from penstock.adapters.leases import Leases
from penstock.adapters.notification_topic import NotificationTopic
from penstock.adapters.plan_bucket import PlanBucket
from penstock.adapters.pool_items import PoolItems
from penstock.adapters.reject_items import RejectItems
from penstock.adapters.run_table import RunTable
from penstock.adapters.schedule_rule import ScheduleRule
from penstock.adapters.silent_days import SilentDays
from penstock.adapters.table_items import TableItems
from penstock.adapters.task_tokens import TaskTokens
from penstock.domain.aftermath import Aftermath
from penstock.domain.extract_planner import ExtractPlanner
from penstock.domain.gate import Gate
from penstock.domain.instant import written
from penstock.domain.reconciler import Reconciler
from penstock.domain.run_closer import RunCloser
from penstock.domain.run_planner import RunPlanner, Stores
from penstock.domain.silence_watch import SilenceWatch
from penstock.domain.turn import TurnTaking
from penstock.domain.watch import Watch
from penstock.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from penstock.adapters.extract_config_file import ExtractConfigFiles

FEW: Final = 3
"""Up to so many requests are not worth a thread."""
SECONDS_PER_DAY: Final = 86_400


class Parts:
    """Settings, adapters and what works with them; one per Lambda environment."""

    @cached_property
    def settings(self) -> Settings:
        """The environment of the function."""
        return Settings.from_env()

    @cached_property
    def control(self) -> ControlTable:
        """The rows of jobs."""
        return ControlTable(self._dynamodb, self.settings.control_table)

    @cached_property
    def runs(self) -> RunTable:
        """The runs."""
        return RunTable(self._dynamodb, self.settings.run_table, self._expires_at, in_threads)

    @cached_property
    def bucket(self) -> PlanBucket:
        """The plans, and the reports of jobs."""
        return PlanBucket(clients.s3(), self.settings.data_bucket)

    @cached_property
    def queue(self) -> ErrorQueue:
        """What failed."""
        settings = self.settings
        return ErrorQueue(clients.sqs(), settings.error_queue_url, settings.error_dlq_url)

    @cached_property
    def turns(self) -> TurnTaking:
        """The turns of jobs."""
        return TurnTaking(self._jobs, self._tokens, self.gate, now, in_threads)

    @cached_property
    def planner(self) -> RunPlanner:
        """What plans runs."""
        stores = Stores(
            self.control, self.runs, self.bucket, self.queue, self.leases, self.rule, self.rejects
        )
        return RunPlanner(stores, self.turns, self.settings.site)

    @cached_property
    def extract_planner(self) -> ExtractPlanner:
        """What plans extracts."""
        return ExtractPlanner(self.planner, self.tables, self.bucket)

    @cached_property
    def extract_configs(self) -> ExtractConfigFiles:
        """The extract configs; imported only by the one function that reads them."""
        from penstock.adapters.extract_config_file import ExtractConfigFiles

        return ExtractConfigFiles(clients.s3())

    @cached_property
    def aftermath(self) -> Aftermath:
        """What follows from the end of a job."""
        return Aftermath(self.turns, self.queue, self.control, self.tables, self.rejects, now)

    @cached_property
    def rejects(self) -> RejectItems:
        """The rejects that are not done with."""
        return RejectItems(self._dynamodb, self.settings.run_table, self._expires_at)

    @cached_property
    def tables(self) -> TableItems:
        """The tables of extracts, and their watermarks."""
        return TableItems(self._dynamodb, self.settings.run_table, self._expires_at)

    @cached_property
    def leases(self) -> Leases:
        """Who works on which day."""
        return Leases(self._dynamodb, self.settings.run_table, self._expires_at)

    @cached_property
    def rule(self) -> ScheduleRule:
        """The rule that calls Reconcile Runs."""
        return ScheduleRule(clients.events(), self.settings.reconcile_rule)

    @cached_property
    def closer(self) -> RunCloser:
        """Who closes runs."""
        return RunCloser(
            self.runs, self.turns, self.gate, self.aftermath, self.queue, self.control,
            self.leases, self.bucket, self.settings.site, now, in_threads,
        )  # fmt: skip

    @cached_property
    def reconciler(self) -> Reconciler:
        """Who looks after open runs."""
        return Reconciler(
            self.executions, self.runs, self.control, self.turns, self._tokens, self.gate,
            self.aftermath, self.closer, self.queue, self.topic, self.bucket.result_file, now,
            in_threads,
        )  # fmt: skip

    @cached_property
    def watch(self) -> Watch:
        """The checks of Reconcile Runs."""
        told = SilentDays(self._dynamodb, self.settings.run_table, self._expires_at)
        silence = SilenceWatch(self.runs, self.control, told, self.topic, self.settings.site)
        return Watch(self.leases, self.rule, self.reconciler, silence)

    @cached_property
    def executions(self) -> Executions:
        """The executions of the pipeline."""
        return Executions(clients.step_functions())

    @cached_property
    def topic(self) -> NotificationTopic:
        """Where people hear of runs."""
        return NotificationTopic(clients.sns(), self.settings.notification_topic)

    @cached_property
    def gate(self) -> Gate:
        """The pools."""
        limit = self.settings.default_pool_limit
        pools = PoolItems(self._dynamodb, self.settings.run_table, limit, self._expires_at)
        return Gate(self._jobs, pools, self._tokens, now, in_threads)

    @cached_property
    def _jobs(self) -> JobItems:
        return JobItems(self._dynamodb, self.settings.run_table)

    @cached_property
    def _tokens(self) -> TaskTokens:
        return TaskTokens(clients.step_functions())

    @cached_property
    def _dynamodb(self) -> Any:
        return clients.dynamodb()

    def _expires_at(self) -> int:
        return int(time.time()) + self.settings.retention_days * SECONDS_PER_DAY


def now() -> str:
    """Return the time as the run table has it."""
    return written(datetime.now(UTC))


def in_threads(call: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    """Call the function with each value, many at once if there are many; raise what it raises."""
    listed = list(values)
    if len(listed) <= FEW:
        return [call(value) for value in listed]
    with ThreadPoolExecutor(clients.THREADS) as pool:
        return list(pool.map(call, listed))
