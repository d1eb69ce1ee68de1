"""A deployed stack as the commands use it: on Penstock Local if that is up, else on AWS."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from penstock.adapters.control_table import ControlTable
from penstock.adapters.error_queue import ErrorQueue
from penstock.adapters.extract_config_file import ExtractConfigFiles
from penstock.adapters.leases import Leases
from penstock.adapters.plan_bucket import PlanBucket
from penstock.adapters.pool_items import PoolItems
from penstock.adapters.reject_items import RejectItems
from penstock.adapters.run_table import RunTable
from penstock.adapters.table_items import TableItems
from penstock.domain.extract_planner import ExtractPlanner
from penstock.domain.run_planner import RunPlanner, Stores
from penstock.settings import Settings
from penstock_cli.deployment import STACK_NAME, stack_outputs
from penstock_cli.errors import CommandError
from penstock_cli.local_instance import STATE, Instance, find
from penstock_cli.run_view import Runs

AWS_STACK = "penstock"
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Stack:
    """One deployment of the template; clients act in the name of the caller."""

    name: str
    instance: Instance | None

    def client(self, service: str) -> Any:
        """A client of a service, of Penstock Local or of AWS."""
        if self.instance:
            return self.instance.client(service)
        try:
            return boto3.client(service)
        except BotoCoreError as error:
            raise _unusable(error) from error

    def table(self, name: str) -> Any:
        """A DynamoDB table with Python's own types."""
        if self.instance:
            return self.instance.table(name)
        try:
            return boto3.resource("dynamodb").Table(name)
        except BotoCoreError as error:
            raise _unusable(error) from error

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack; CommandError where there is none."""
        return stack_outputs(self.client("cloudformation"), self.name)

    @cached_property
    def settings(self) -> Settings:
        """The settings of the stack's functions, as they are deployed."""
        try:
            resource = self.client("cloudformation").describe_stack_resource(
                StackName=self.name, LogicalResourceId="PlanRunFunction"
            )["StackResourceDetail"]["PhysicalResourceId"]
            found = self.client("lambda").get_function_configuration(FunctionName=resource)
        except ClientError as error:
            raise CommandError(f"the settings of {self.name} cannot be read: {error}") from error
        return Settings.from_env(found["Environment"]["Variables"])

    @cached_property
    def control(self) -> ControlTable:
        """The control table."""
        return ControlTable(self.client("dynamodb"), self.outputs["ControlTable"])

    @cached_property
    def run_table(self) -> RunTable:
        """The run table, to read."""
        return RunTable(self.client("dynamodb"), self.outputs["RunTable"], lambda: 0)

    @cached_property
    def pools(self) -> PoolItems:
        """The pools, to read."""
        limit = self.settings.default_pool_limit
        return PoolItems(self.client("dynamodb"), self.outputs["RunTable"], limit, lambda: 0)

    @cached_property
    def leases(self) -> Leases:
        """The leases, to read."""
        return Leases(self.client("dynamodb"), self.outputs["RunTable"], lambda: 0)

    @cached_property
    def rejects(self) -> RejectItems:
        """The rejects that are not done with."""
        return RejectItems(self.client("dynamodb"), self.outputs["RunTable"], self._expires_at)

    @cached_property
    def tables(self) -> TableItems:
        """The extracted tables, to read."""
        return TableItems(self.client("dynamodb"), self.outputs["RunTable"], lambda: 0)

    @cached_property
    def queue(self) -> ErrorQueue:
        """The error queue, to send to."""
        return ErrorQueue(self.client("sqs"), self.settings.error_queue_url)

    @cached_property
    def runs(self) -> Runs:
        """The runs as a person looks at them."""
        tables = self.outputs["RunTable"], self.outputs["DataBucket"]
        return Runs(self.client("dynamodb"), self.client("s3"), *tables)

    @cached_property
    def planner(self) -> RunPlanner:
        """What plans runs, for drafts: it reads tables and writes nothing."""
        nobody: Any = None
        stores = Stores(
            self.control, self.run_table, nobody, nobody, self.leases, nobody, self.rejects
        )
        return RunPlanner(stores, nobody, self.settings.site)

    @cached_property
    def extract_planner(self) -> ExtractPlanner:
        """What plans the reruns of extracts, for drafts."""
        bucket = PlanBucket(self.client("s3"), self.outputs["DataBucket"])
        return ExtractPlanner(self.planner, self.tables, bucket)

    @cached_property
    def extract_configs(self) -> ExtractConfigFiles:
        """The extract configs, to read."""
        return ExtractConfigFiles(self.client("s3"))

    def _expires_at(self) -> int:
        return int(time.time()) + self.settings.retention_days * SECONDS_PER_DAY


def _unusable(error: BotoCoreError) -> CommandError:
    return CommandError(
        f"AWS cannot be used: {error} Set AWS_PROFILE and AWS_REGION, or `make up`."
    )


def the_stack(name: str | None) -> Stack:
    """The stack that is meant: without a name that of Penstock Local, if it is up."""
    instance = find(STATE / "up") if name in (None, STACK_NAME) else None
    if instance is not None:
        return Stack(STACK_NAME, instance)
    return Stack(name or AWS_STACK, None)
