"""The one door through which an execution reaches other services."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations import services
from penstock_local.asl.integrations.athena import Athena
from penstock_local.asl.integrations.aws_sdk import AwsSdkIntegration
from penstock_local.asl.integrations.batch import Batch
from penstock_local.asl.integrations.call import Call, Caller
from penstock_local.asl.integrations.clients import Clients
from penstock_local.asl.integrations.codebuild import CodeBuild
from penstock_local.asl.integrations.dynamodb import DynamoDb
from penstock_local.asl.integrations.ecs import Ecs
from penstock_local.asl.integrations.emr_serverless import EmrServerless
from penstock_local.asl.integrations.glue import Glue
from penstock_local.asl.integrations.lambda_function import LambdaArn, LambdaFunction
from penstock_local.asl.integrations.messages import EventBridge, Sns, Sqs
from penstock_local.asl.integrations.optimized import Job, NotPerformedError
from penstock_local.asl.integrations.s3_objects import S3Objects
from penstock_local.asl.integrations.states import StepFunctions
from penstock_local.asl.values import Json

log = logging.getLogger(__name__)

# How often a job is asked whether it has ended: often at first, for local jobs are short; more
# seldom when there are many, so that all together do not ask more often than this.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
MOST_QUESTIONS_PER_SECOND = 50
_GROWTH = 1.5


class Endpoint(Protocol):
    """Where the services are."""

    @property
    def endpoint(self) -> str:
        """Base URL of every service, on loopback."""


class _Integration(Protocol):
    async def start(self, call: Call) -> Json:
        """Make the call."""


class Integrations:
    """Performs the calls of Task states.

    One instance serves all executions; `close()` ends its threads. All methods are coroutines of
    the engine's loop and never block it. `s3` holds the objects for `item_reader` and
    `result_writer`.
    """

    def __init__(self, settings: Endpoint, lambda_calls: int = 32, other_calls: int = 32) -> None:
        """`lambda_calls` and `other_calls` bound the calls that are under way at once."""
        clients = self.clients = Clients(settings.endpoint, lambda_calls, other_calls)
        self.s3 = S3Objects(clients)
        self._watched = 0
        self._aws_sdk = AwsSdkIntegration(clients)
        self._lambda_arn = LambdaArn(clients)
        self._optimized: dict[str, _Integration] = {
            "athena": Athena(clients),
            "batch": Batch(clients),
            "codebuild": CodeBuild(clients),
            "dynamodb": DynamoDb(clients),
            "ecs": Ecs(clients),
            "emr-serverless": EmrServerless(clients),
            "events": EventBridge(self._aws_sdk),
            "glue": Glue(clients),
            "lambda": LambdaFunction(clients),
            "sns": Sns(clients),
            "sqs": Sqs(clients),
            "states": StepFunctions(clients),
        }

    async def start(self, call: Call) -> Json:
        """Make the call and return the answer in Step Functions' form.

        For a plain task and for `.waitForTaskToken` that is all; for `.sync` the answer is the
        output of TaskSubmitted, and `finish` follows. A function's ARN as Resource gives the bare
        payload. Raises `StateError` with the service's names and causes; among them
        `ParametersError` (a `States.Runtime`) when the arguments do not fit the API, whose cause
        the interpreter completes by `within(state, event_id)`. Activities are not calls: the
        engine hands them out itself.
        """
        if call.resource.kind == "aws_sdk":
            return await self._aws_sdk.start(call)
        if call.resource.kind == "lambda_arn":
            return await self._lambda_arn.start(call)
        integration = self._optimized.get(call.resource.service)
        if integration is None:
            raise NotPerformedError(call.resource.text)
        return await integration.start(call)

    async def finish(self, call: Call, started: Json) -> Json:
        """Wait until the job that `start` answered with has ended; its result, or `StateError`.

        Cancelling the coroutine ends the waiting only; `cancel` stops the job.
        """
        job = self._job(call)
        if job is None:
            return started
        pause = FIRST_PAUSE
        self._watched += 1
        try:
            while (result := await job.poll(call, started)) is None:
                await asyncio.sleep(max(pause, self._watched / MOST_QUESTIONS_PER_SECOND))
                pause = min(pause * _GROWTH, LONGEST_PAUSE)
        finally:
            self._watched -= 1
        return result

    async def cancel(self, call: Call, started: Json) -> None:
        """Stop the job of a `.sync` task whose state timed out or whose execution was stopped.

        Does nothing for other tasks. Never raises: what cannot be stopped is left, as on AWS.
        """
        job = self._job(call)
        if job is None:
            return
        try:
            await job.stop(call, started)
        except StateError as error:
            log.warning("%s could not be stopped: %s", call.resource.text, error)

    async def service(
        self, role_arn: str, region: str, service: str, operation: str, parameters: dict[str, Json]
    ) -> Json:
        """One API call in aws-sdk form, by the aws-sdk service's name (`s3`, `getObject`).

        Errors are those of the aws-sdk integration (`S3.NoSuchKeyException`).
        """
        name = services.botocore_name(service)
        assert name is not None, service
        caller = Caller(role_arn, region)
        return await self._aws_sdk.request(caller, name, operation, parameters)

    def close(self) -> None:
        """Give up the threads; calls under way end by themselves."""
        self.clients.close()

    def _job(self, call: Call) -> Job | None:
        if call.resource.pattern not in ("sync", "sync:2"):
            return None
        integration = self._optimized.get(call.resource.service)
        return integration if isinstance(integration, Job) else None
