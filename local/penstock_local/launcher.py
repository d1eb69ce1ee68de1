"""Starts Penstock Local: checks, repairs of the platform, the server, a clean end."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import shutil
import signal
import socket
import sys
import time
from typing import Any

from penstock_local import pins, platform_environment, settings
from penstock_local.settings import LOOPBACK, LocalSettings
from penstock_local.sockets import ExposedSocketError, require_loopback_only

# Modules that replace or mend a service; each has `install(settings)`. Order matters only in
# that asl comes after cloudformation, whose handlers it replaces in part.
REPAIRS = (
    "penstock_local.secure_transport",
    "penstock_local.cloudformation",
    "penstock_local.lambda_functions",
    "penstock_local.glue",
    "penstock_local.redshift",
    "penstock_local.emr_serverless",
    "penstock_local.ecs",
    "penstock_local.asl",
    "penstock_local.schedules",
    "penstock_local.iam_names",
)

log = logging.getLogger("penstock_local")


class StartError(Exception):
    """Penstock Local cannot start; the text says why and what to do."""


def main() -> int:
    """Run until a signal ends it; the exit status is 2 when it could not start."""
    own = LocalSettings.from_env()
    try:
        run(own)
    except (StartError, pins.PlatformMovedError, ExposedSocketError) as error:
        sys.stderr.write(f"Penstock Local cannot start: {error}\n")
        return 2
    return 0


def run(own: LocalSettings) -> None:
    """Serve the AWS APIs of `own` until SIGTERM, SIGINT or the end of the parent process.

    Raises StartError when the port is taken, PlatformMovedError when ministack is another.
    """
    started = time.monotonic()
    pins.require_version()
    # Server, engine and callers are threads that wait for each other at every request; at the
    # default of 5 ms a busy one keeps the others waiting for longer than a request takes.
    sys.setswitchinterval(0.001)
    require_free_port(own.port)
    shutil.rmtree(own.home, ignore_errors=True)
    own.home.mkdir(parents=True)
    platform_environment.prepare(own)
    settings.use(own)
    for name in REPAIRS:
        importlib.import_module(name).install(own)
    try:
        asyncio.run(_serve(own, started))
    finally:
        (own.home / "ready.json").unlink(missing_ok=True)
        shutil.rmtree(own.home / "tmp", ignore_errors=True)


def require_free_port(port: int) -> None:
    """Raise StartError, naming what to do, when something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise StartError(
                f"port {port} on {LOOPBACK} is taken ({error.strerror}). "
                "Is another instance running? `make down` stops it; "
                "PENSTOCK_LOCAL_PORT=<port> chooses another port."
            ) from error


async def _serve(own: LocalSettings, started: float) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app

    config = Config()
    config.bind = [f"{LOOPBACK}:{own.port}"]
    config.keep_alive_timeout = 75
    config.backlog = 1000
    config.loglevel = os.environ["LOG_LEVEL"]
    config.graceful_timeout = 1.0
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    tasks = [asyncio.create_task(_announce(own, started, ended))]
    if os.environ.get("PENSTOCK_LOCAL_WITH_PARENT"):
        tasks.append(asyncio.create_task(_end_with_parent(ended)))
    _raise_open_files_limit()
    await serve(app.app, config, shutdown_trigger=_wait_for(ended))
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()


def _wait_for(ended: asyncio.Event) -> Any:
    async def trigger() -> None:
        await ended.wait()

    return trigger


async def _announce(own: LocalSettings, started: float, ended: asyncio.Event) -> None:
    """Once the port answers: prove that only loopback is served, then say that it is ready.

    Then import what is too slow to import before; a repair that no longer fits ends the run.
    """
    while True:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, own.port)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.02)
    try:
        require_loopback_only()
    except BaseException:
        ended.set()
        raise
    seconds = round(time.monotonic() - started, 3)
    facts = {"pid": os.getpid(), "endpoint": own.endpoint, "region": own.region}
    partial = own.home / "ready.partial"
    partial.write_text(json.dumps({**facts, "seconds": seconds}))
    partial.rename(own.home / "ready.json")
    try:
        await asyncio.to_thread(importlib.import_module, "ministack.services.cloudformation")
    except BaseException:
        ended.set()
        raise


async def _end_with_parent(ended: asyncio.Event) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(1)
    ended.set()


def _raise_open_files_limit() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
