"""What runs inside a function's process: import the handler once, then answer one event a line.

Standard library only: it is started with an interpreter that sees nothing else. Line protocol,
JSON both ways: the first line in names the handler, the first line out says `ready` or the error
of the import; then one line in and one line out per invocation.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

TASK_ROOT = "/var/task"


class LogStream:
    """Stands for stdout and stderr of the handler; what was written goes out with the answer."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._parts: list[str] = []

    def write(self, text: str) -> int:
        self._parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is buffered beyond the answer."""

    def isatty(self) -> bool:
        return False

    def drain(self) -> str:
        text = "".join(self._parts)
        self._parts.clear()
        return text


class LambdaContext:
    """The context object, with the attributes of AWS's own."""

    def __init__(self, request_id: str, arn: str, timeout: float) -> None:
        env = os.environ
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = env["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = env["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = env["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = env["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def failure(error_type: str, message: str, stack: list[str] | None = None) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": error_type, "stackTrace": stack or []}


def load(task: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """The handler, or what Lambda reports when it cannot be imported."""
    module_name, _, handler_name = task["handler"].replace("/", ".").rpartition(".")
    sys.path[:0] = [task["code"], *task["layers"]]
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        return None, failure(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        )
    except SyntaxError as error:
        return None, failure(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        )
    except Exception as error:  # noqa: BLE001 - whatever the user's module raises is the answer
        return None, failure(type(error).__name__, str(error), frames(error, task["code"]))
    handler = getattr(module, handler_name, None)
    if handler is None:
        return None, failure(
            "Runtime.HandlerNotFound",
            f"Handler '{handler_name}' missing on module '{module_name}'",
        )
    return handler, None


def frames(error: BaseException, code: str) -> list[str]:
    """The traceback from the handler on, as Lambda lists it."""
    stack = traceback.extract_tb(error.__traceback__)[1:]
    return [line.replace(code, TASK_ROOT) for line in traceback.format_list(stack)]


def invoke(handler: Any, request: dict[str, Any], code: str) -> dict[str, Any]:
    context = LambdaContext(request["request_id"], request["arn"], request["timeout"])
    depth = request.get("depth")
    if depth is not None:
        os.environ["_MINISTACK_INVOKE_DEPTH"] = str(depth)
    try:
        result = handler(request["event"], context)
    except Exception as error:  # noqa: BLE001 - whatever the user's handler raises is the answer
        return {"error": failure(type(error).__name__, str(error), frames(error, code))}
    try:
        return {"result": json.dumps(result, ensure_ascii=False, separators=(",", ":"))}
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return {"error": failure("Runtime.MarshalError", message)}


def carry_invoke_depth() -> None:
    """Stamp calls of other functions with how deep the chain is, so that loops can be cut."""
    try:
        from botocore import handlers
    except ImportError:
        return

    def add_depth(params: dict[str, Any], **_: Any) -> None:
        depth = os.environ.get("_MINISTACK_INVOKE_DEPTH")
        if depth:
            params["headers"].setdefault("X-Ministack-Invoke-Depth", depth)

    handlers.BUILTIN_HANDLERS.append(("before-call", add_depth))


def private_pipes() -> tuple[Any, Any]:
    """The pipes to the launcher, moved out of the way of what the handler prints or starts."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    return requests, answers


def serve() -> None:
    requests, answers = private_pipes()
    log = LogStream()
    sys.stdout = sys.stderr = log
    task = json.loads(requests.readline())
    sys.path.extend(task["runtime"])
    handler, broken = load(task)
    if not broken:
        carry_invoke_depth()

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps({**message, "log": log.drain()}) + "\n")
        answers.flush()

    answer({"error": broken} if broken else {"ready": True})
    if broken:
        return
    for line in requests:
        answer(invoke(handler, json.loads(line), task["code"]))


if __name__ == "__main__":
    serve()
