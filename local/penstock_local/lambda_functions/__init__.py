"""Lambda functions as real processes: a bounded pool of execution environments.

ministack starts a process for every concurrent invocation and reports every Python error as
`Runtime.HandlerError`. Here the number of processes is bounded, invocations queue for them, a
function sees only what its zip and Lambda's runtime hold, and errors carry the names that
`Retry` and `Catch` match.
"""

from penstock_local.lambda_functions.service import install

__all__ = ["install"]
