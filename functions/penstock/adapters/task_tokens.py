"""Word to the child executions that wait in Await Turn."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

_NOBODY_LISTENS: Final = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
_LONGEST_CAUSE: Final = 32_768


class TaskTokens:
    """Sends task tokens back to Step Functions (`penstock.domain.turn_store.Turns`).

    A child that was told already, or has gone, no longer listens. That is no error: it has its
    turn, or its own Settle Failed Job frees whatever the job was given.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def grant(self, token: str) -> None:
        """Tell a child that it is its job's turn."""
        self._tell(self._client.send_task_success, taskToken=token, output='{"turn":"granted"}')

    def refuse(self, token: str, error: str, cause: str) -> None:
        """Tell a child that its job will not run."""
        tell = self._client.send_task_failure
        self._tell(tell, taskToken=token, error=error, cause=cause[:_LONGEST_CAUSE])

    @staticmethod
    def _tell(send: Any, **arguments: str) -> None:
        try:
            send(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOBODY_LISTENS:
                raise
