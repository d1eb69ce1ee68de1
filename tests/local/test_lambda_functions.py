"""Functions run as real processes, bounded in number, with Lambda's own error names."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from penstock_local.lambda_functions.environment import Answer, Environment, Function
from penstock_local.lambda_functions.pool import EnvironmentPool

HANDLERS = """
import json, os, sys, time, subprocess

class OrderRefusedError(Exception):
    pass

def echo(event, context):
    print("seen", event)
    return {"event": event, "id": context.aws_request_id, "name": context.function_name}

def fail(event, context):
    raise OrderRefusedError("no such order: é")

def sleep(event, context):
    time.sleep(event)
    return os.getpid()

def crash(event, context):
    os._exit(3)

def unserialisable(event, context):
    return object()

def noisy_child(event, context):
    subprocess.run([sys.executable, "-c", "print('to the real stdout')"])
    return "fine"

def modules(event, context):
    import importlib.util
    return {name: importlib.util.find_spec(name) is not None for name in event}

def remaining(event, context):
    return context.get_remaining_time_in_millis()
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text(HANDLERS)
    (folder / "broken.py").write_text("import no_such_package\n")
    return folder


def function(code: Path, handler: str = "app.echo", timeout: float = 10) -> Function:
    variables = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/orders",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
    }
    return Function(
        arn="arn:aws:lambda:eu-central-1:123456789012:function:orders",
        handler=handler,
        code=code,
        layers=(),
        runtime_packages=code.parent / "runtime",
        timeout=timeout,
        variables=tuple(sorted(variables.items())),
    )


def run(one: Function, event: object = None) -> Answer:
    environment = Environment(one)
    try:
        return environment.start() or environment.invoke(event, "req-1", one.arn, 1)
    finally:
        environment.stop()


def test_a_handler_gets_the_event_and_the_context_and_its_output_is_the_log(code: Path) -> None:
    answer = run(function(code), {"a": [1, None, "é"]})

    assert answer.error is None
    assert answer.payload == '{"event":{"a":[1,null,"é"]},"id":"req-1","name":"orders"}'
    assert answer.log == "seen {'a': [1, None, 'é']}\n"


def test_an_exception_is_reported_by_its_class_name_with_the_stack_in_var_task(code: Path) -> None:
    error = run(function(code, "app.fail")).error

    assert error is not None
    assert (error["errorType"], error["errorMessage"]) == ("OrderRefusedError", "no such order: é")
    assert error["stackTrace"][0].startswith('  File "/var/task/app.py", line ')


@pytest.mark.parametrize(
    ("handler", "error_type", "text"),
    [
        ("broken.handler", "Runtime.ImportModuleError", "No module named 'no_such_package'"),
        ("app.nothing", "Runtime.HandlerNotFound", "Handler 'nothing' missing on module 'app'"),
        ("app.unserialisable", "Runtime.MarshalError", "Unable to marshal response"),
        ("app.crash", "Runtime.ExitError", "exit status 3"),
    ],
)
def test_what_is_wrong_with_a_function_has_lambdas_own_name(
    code: Path, handler: str, error_type: str, text: str
) -> None:
    error = run(function(code, handler)).error

    assert error is not None
    assert error["errorType"] == error_type
    assert text in error["errorMessage"]


def test_a_function_that_overruns_its_timeout_is_ended(code: Path) -> None:
    environment = Environment(function(code, "app.sleep", timeout=0.3))
    assert environment.start() is None

    answer = environment.invoke(30, "req-7", "arn", None)

    assert answer.error == {
        "errorMessage": "req-7 Task timed out after 0.30 seconds",
        "errorType": "Sandbox.Timedout",
    }
    assert not environment.usable


def test_what_a_child_process_prints_does_not_disturb_the_answer(code: Path) -> None:
    assert run(function(code, "app.noisy_child")).payload == '"fine"'


def test_a_function_sees_no_package_of_this_machine_that_it_does_not_ship(code: Path) -> None:
    assert run(function(code, "app.modules"), ["json", "pytest", "ministack"]).payload == (
        '{"json":true,"pytest":false,"ministack":false}'
    )


def test_the_context_counts_down_from_the_timeout(code: Path) -> None:
    payload = run(function(code, "app.remaining", timeout=9)).payload
    assert payload is not None
    assert 8000 < int(payload) <= 9000


def invoke_many(pool: EnvironmentPool, jobs: list[tuple[Function, float]]) -> list[str | None]:
    answers: list[str | None] = [None] * len(jobs)

    def one(index: int, what: Function, seconds: float) -> None:
        with pool.lease(what) as environment:
            broken = None if environment.usable else environment.start()
            answers[index] = (broken or environment.invoke(seconds, "r", "a", None)).payload

    threads = [
        threading.Thread(target=one, args=(index, *job), daemon=True)
        for index, job in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_a_burst_of_invocations_shares_the_bounded_number_of_processes(code: Path) -> None:
    pool = EnvironmentPool(3)
    try:
        answers = invoke_many(pool, [(function(code, "app.sleep"), 0.01)] * 40)
    finally:
        pool.stop()

    assert None not in answers
    assert len(set(answers)) <= 3


def test_a_function_without_a_process_is_served_while_another_keeps_all_busy(code: Path) -> None:
    busy, rare = function(code, "app.sleep"), function(code, "app.echo")
    pool = EnvironmentPool(2)
    started = time.monotonic()
    finished: list[float] = []

    def rarely() -> None:
        time.sleep(0.2)
        with pool.lease(rare) as environment:
            assert environment.start() is None
            finished.append(time.monotonic() - started)

    thread = threading.Thread(target=rarely, daemon=True)
    thread.start()
    try:
        answers = invoke_many(pool, [(busy, 0.1)] * 60)
        whole = time.monotonic() - started
        thread.join(30)
    finally:
        pool.stop()

    assert None not in answers
    assert finished[0] < whole / 2


def test_functions_that_take_turns_keep_their_processes(code: Path) -> None:
    """What many jobs at once do: each is planned, run and settled, by a function each."""
    pool = EnvironmentPool(6)
    ways = [function(code, "app.sleep", timeout=10 + number) for number in range(3)]
    pids: set[str | None] = set()

    def one_job() -> None:
        for _ in range(5):
            for what in ways:
                pids.update(invoke_many(pool, [(what, 0.005)]))

    threads = [threading.Thread(target=one_job, daemon=True) for _ in range(12)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        pool.stop()

    assert None not in pids
    assert len(pids) < 180 / 4  # some 20; twice as many and more where a process starts per call


def test_an_idle_process_gives_way_to_another_function(code: Path) -> None:
    first, second = function(code, "app.sleep"), function(code, "app.echo")
    pool = EnvironmentPool(1)
    try:
        assert None not in invoke_many(pool, [(first, 0)])
        assert None not in invoke_many(pool, [(second, 0)])
        assert pool.size == 1
    finally:
        pool.stop()


def test_a_nested_invocation_never_waits_for_its_own_caller(code: Path) -> None:
    outer, inner = function(code, "app.echo"), function(code, "app.sleep")
    pool = EnvironmentPool(1)
    try:
        with pool.lease(outer), pool.lease(inner, nested=True) as environment:
            assert environment.start() is None
            assert environment.invoke(0, "r", "a", 2).error is None
        assert pool.size <= 1
    finally:
        pool.stop()


def test_a_process_that_crashed_is_replaced_by_a_new_one(code: Path) -> None:
    pool = EnvironmentPool(1)
    try:
        with pool.lease(function(code, "app.crash")) as environment:
            environment.start()
            environment.invoke(None, "r", "a", None)
        assert pool.size == 0
        with pool.lease(function(code, "app.crash")) as environment:
            assert not environment.usable
    finally:
        pool.stop()


def test_stopping_leaves_no_process_behind(code: Path) -> None:
    pool = EnvironmentPool(2)
    (answer,) = invoke_many(pool, [(function(code, "app.sleep"), 0)])
    assert answer is not None

    pool.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(int(answer), 0)
