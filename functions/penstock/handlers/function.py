"""What all functions share: their logger, their metrics, and their word for a busy AWS."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from penstock.domain.errors import AwsBusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Request = TypeVar("Request")
Response = TypeVar("Response")

SERVER_ERROR: Final = 500
THROTTLES: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "TransactionCanceledException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)

logger: Final = Logger()
metrics: Final = Metrics()


def function(
    handle: Callable[[Request], Response],
) -> Callable[[Request, Any], Response]:
    """Make a Lambda handler that logs, and raises AwsBusyError for what may work later."""

    @logger.inject_lambda_context(clear_state=True)
    @wraps(handle)
    def handler(event: Request, context: Any) -> Response:  # noqa: ARG001 - Lambda passes it
        try:
            return handle(event)
        except (ConnectionError, HTTPClientError) as error:
            raise AwsBusyError(str(error)) from error
        except ClientError as error:
            if _is_transient(error):
                raise AwsBusyError(str(error)) from error
            raise

    return handler


def measure(category: str, counts: Mapping[str, float | None]) -> None:
    """Publish one metric per known count, under the category."""
    metrics.add_dimension("Category", category)
    for name, value in counts.items():
        if value is not None:
            unit = MetricUnit.Seconds if name.endswith("Seconds") else MetricUnit.Count
            metrics.add_metric(name, unit, value)
    metrics.flush_metrics()


def _is_transient(error: ClientError) -> bool:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= SERVER_ERROR or error.response["Error"]["Code"] in THROTTLES
