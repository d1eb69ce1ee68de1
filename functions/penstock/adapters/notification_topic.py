"""The topic from which people hear of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

LONGEST_SUBJECT: Final = 100


class NotificationTopic:
    """A topic of SNS; without an ARN nobody is told."""

    def __init__(self, client: SNSClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, subject: str, text: str, verdict: str) -> None:
        """Send one message; `verdict` is what subscriptions filter by, as of the machine's."""
        if self._arn:
            self._client.publish(
                TopicArn=self._arn,
                Subject=subject.encode("ascii", "replace").decode()[:LONGEST_SUBJECT],
                Message=text,
                MessageAttributes={"verdict": {"DataType": "String", "StringValue": verdict}},
            )
