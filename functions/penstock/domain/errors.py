"""Errors that the state machine knows by name: the class name is the `ErrorEquals` string."""

from __future__ import annotations


class PenstockError(Exception):
    """Anything that Penstock itself refuses to do."""


class InvalidRequestError(PenstockError):
    """The input of a run or of a function cannot be used; trying again changes nothing."""


class UnknownCategoryError(PenstockError):
    """No row of the control table belongs to the category."""


class UnknownJobError(PenstockError):
    """The run table has no such job in this run, or none with this attempt."""


class JobNotSucceededError(PenstockError):
    """The task ended without an error, but the job did not succeed; its outcome is recorded."""


class AwsBusyError(PenstockError):
    """An AWS service is throttling or unwell, even after the SDK's retries; later it may work."""
