"""One execution environment: a process that has imported a function's handler."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
INIT_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Function:
    """What an environment needs to know of a function; equal functions share environments.

    `variables` is the whole environment of the process. `timeout` is in seconds.
    """

    arn: str
    handler: str
    code: Path
    layers: tuple[Path, ...]
    runtime_packages: Path
    timeout: float
    variables: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an invocation gave: the payload as JSON text, or Lambda's error document."""

    payload: str | None
    error: dict[str, Any] | None
    log: str


class Environment:
    """A process of one function; handles one event at a time."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.last_used = time.monotonic()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def usable(self) -> bool:
        """Whether the process can take another event."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Answer | None:
        """Start the process; the answer is None, or why the handler could not be imported."""
        self._process = subprocess.Popen(
            # -I and -S: nothing of this machine's packages, only what the function ships.
            [sys.executable, "-I", "-S", str(BOOTSTRAP)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.function.code,
            env=dict(self.function.variables),
            start_new_session=True,
        )
        task = {
            "handler": self.function.handler,
            "code": str(self.function.code),
            "layers": [str(layer) for layer in self.function.layers],
            "runtime": [str(self.function.runtime_packages)],
        }
        message = self._exchange(task, INIT_TIMEOUT_SECONDS)
        if message.get("ready"):
            return None
        self.stop()
        return Answer(None, message["error"], message.get("log", ""))

    def invoke(self, event: Any, request_id: str, arn: str, depth: int | None) -> Answer:
        """Run the handler once; a timeout or a crash ends the process."""
        request = {
            "event": event,
            "request_id": request_id,
            "arn": arn,
            "timeout": self.function.timeout,
            "depth": depth,
        }
        message = self._exchange(request, self.function.timeout, request_id)
        self.last_used = time.monotonic()
        return Answer(message.get("result"), message.get("error"), message.get("log", ""))

    def stop(self) -> None:
        """End the process and what it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _exchange(
        self, message: dict[str, Any], timeout: float, request_id: str = ""
    ) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            line = self._read_line(time.monotonic() + timeout)
        except BrokenPipeError:
            line = b""
        if line is None:
            self.stop()
            text = f"{request_id} Task timed out after {timeout:.2f} seconds".strip()
            return {"error": {"errorMessage": text, "errorType": "Sandbox.Timedout"}}
        if not line:
            status = process.wait()
            self.stop()
            text = f"RequestId: {request_id} Error: Runtime exited with error: exit status {status}"
            return {"error": {"errorMessage": text, "errorType": "Runtime.ExitError"}}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _read_line(self, deadline: float) -> bytes | None:
        """The next line; empty when the process ended, None when the time is up."""
        assert self._process is not None
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        chunks: list[bytes] = []
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            chunk = os.read(pipe, 1 << 20)
            if not chunk:
                return b""
            chunks.append(chunk)
            if chunk.endswith(b"\n"):
                return b"".join(chunks)
