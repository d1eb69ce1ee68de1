"""The error queue: jobs that failed, rejects, and run logs that could not be written."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.errors import AwsBusyError
from penstock.domain.queue_message import PoisonError, read_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mypy_boto3_sqs import SQSClient

    from penstock.domain.failed_job import FailedJob
    from penstock.domain.reject_batch import RejectBatch

_BATCH: Final = 10
_WAIT_SECONDS: Final = 1
_HIDDEN_SECONDS: Final = 900
"""As long as a function can run: a message it has not deleted by then comes back."""
_LONGEST_MESSAGE: Final = 262_144
_ROOM_FOR_REASON: Final = 2_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is hidden from others until it is deleted or released."""

    body: dict[str, Any]
    receipt: str


@dataclass(frozen=True, slots=True)
class _Received:
    text: str
    receipt: str


class ErrorQueue:
    """The queue of what the next run has to make up for."""

    def __init__(
        self,
        client: SQSClient,
        url: str,
        dead_letters: str = "",
        seconds_to_receive: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._url = url
        self._dead_letters = dead_letters
        self._seconds_to_receive = seconds_to_receive
        self._clock = clock
        self._poisoned = 0

    def send(self, job: FailedJob) -> None:
        """Keep a failed job for the next run of its category."""
        self.send_all([job])

    def send_all(self, jobs: Sequence[FailedJob]) -> None:
        """Keep failed jobs, ten in a request."""
        for start in range(0, len(jobs), _BATCH):
            entries: list[Any] = [
                {"Id": str(number), "MessageBody": json.dumps(job.to_message())}
                for number, job in enumerate(jobs[start : start + _BATCH])
            ]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            _require_all(answer, "send")

    def send_rejects(self, batch: RejectBatch) -> None:
        """Tell the next run of the category that there are rejects to be tried again."""
        body = json.dumps(batch.to_message())
        self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def send_unlogged(self, job_id: str, reason: str) -> None:
        """Have the next run write the log of a run, as the state Keep Run Log does."""
        body = json.dumps({"kind": "run_log", "job_id": job_id, "error": reason})
        self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def receive(self, is_wanted: Callable[[dict[str, Any]], bool]) -> list[Message]:
        """Return the wanted messages, hidden from others; all others are released again.

        A message that nobody will ever be able to read goes to the queue of dead letters.
        Reads until the queue is empty or the time is up: what is left waits for the next run.
        """
        wanted: list[Message] = []
        others: list[Message] = []
        deadline = self._clock() + self._seconds_to_receive
        while self._clock() < deadline:
            messages = self._receive_batch()
            if not messages:
                break
            readable, unreadable = self._sorted_out(messages)
            others += unreadable
            for message in readable:
                (wanted if is_wanted(message.body) else others).append(message)
        self.release(others)
        return wanted

    def count_poison(self) -> int | None:
        """Return how many messages were put aside since this was last asked; None for none."""
        count, self._poisoned = self._poisoned, 0
        return count or None

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages whose work is done."""
        for batch in _batches(messages):
            entries: list[Any] = [
                {"Id": str(number), "ReceiptHandle": message.receipt}
                for number, message in enumerate(batch)
            ]
            answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
            _require_all(answer, "delete")

    def release(self, messages: Sequence[Message]) -> None:
        """Let others see messages again at once."""
        for batch in _batches(messages):
            entries: list[Any] = [
                {"Id": str(number), "ReceiptHandle": message.receipt, "VisibilityTimeout": 0}
                for number, message in enumerate(batch)
            ]
            self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def _receive_batch(self) -> list[_Received]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH,
            WaitTimeSeconds=_WAIT_SECONDS,
            VisibilityTimeout=_HIDDEN_SECONDS,
        )
        return [
            _Received(message.get("Body", ""), message["ReceiptHandle"])
            for message in answer.get("Messages", [])
        ]

    def _sorted_out(self, messages: Sequence[_Received]) -> tuple[list[Message], list[Message]]:
        """Return the messages that can be read, and those that cannot and stay on the queue.

        These become dead letters if there is a queue for such. Each is sent before it is deleted:
        a dead letter that comes twice is better than none.
        """
        readable: list[Message] = []
        poison: list[Message] = []
        for message in messages:
            try:
                readable.append(Message(read_message(message.text), message.receipt))
            except PoisonError as error:
                poison.append(self._send_dead_letter(message, str(error)))
        if not self._dead_letters:
            return readable, poison
        self.delete(poison)
        return readable, []

    def _send_dead_letter(self, message: _Received, reason: str) -> Message:
        if self._dead_letters:
            self._client.send_message(
                QueueUrl=self._dead_letters,
                MessageBody=_cut(message.text, _LONGEST_MESSAGE - _ROOM_FOR_REASON) or " ",
                MessageAttributes={"Reason": {"DataType": "String", "StringValue": reason}},
            )
            self._poisoned += 1
        return Message({}, message.receipt)


def _batches(messages: Sequence[Message]) -> Iterable[Sequence[Message]]:
    return (messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH))


def _cut(text: str, most_bytes: int) -> str:
    """Return as much of the text as SQS takes beside the reason; what is cut is rubbish."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")


def _require_all(answer: Any, what: str) -> None:
    failed = answer.get("Failed", [])
    if failed:
        raise AwsBusyError(f"SQS did not {what} {len(failed)} messages: {failed[0]}")
