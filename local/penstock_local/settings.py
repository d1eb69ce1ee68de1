"""What one instance of Penstock Local is told when it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 4577
DEFAULT_REGION = "eu-central-1"
DEFAULT_ACCOUNT = "123456789012"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Where an instance listens, whose account it plays and where it keeps its files.

    `home` holds what one instance writes and may be thrown away; `runtimes` holds what job runs
    need (Java, jars, Python environments) and is kept. `wait_scale` multiplies Wait states and
    retry intervals, so that tests need not sit through them.
    """

    home: Path
    runtimes: Path
    port: int = DEFAULT_PORT
    region: str = DEFAULT_REGION
    account: str = DEFAULT_ACCOUNT
    lambda_workers: int = 10
    wait_scale: float = 1.0

    @property
    def endpoint(self) -> str:
        """The URL of every service."""
        return f"http://{LOOPBACK}:{self.port}"

    @classmethod
    def from_env(cls) -> LocalSettings:
        """Settings from PENSTOCK_LOCAL_* variables; folders default to `.penstock` here."""
        env = os.environ
        home = Path(env.get("PENSTOCK_LOCAL_HOME", ".penstock/local")).resolve()
        runtimes = Path(env.get("PENSTOCK_LOCAL_RUNTIMES", ".penstock/runtimes")).resolve()
        return cls(
            home=home,
            runtimes=runtimes,
            port=int(env.get("PENSTOCK_LOCAL_PORT", DEFAULT_PORT)),
            region=env.get("PENSTOCK_LOCAL_REGION", DEFAULT_REGION),
            account=env.get("PENSTOCK_LOCAL_ACCOUNT", DEFAULT_ACCOUNT),
            lambda_workers=int(env.get("PENSTOCK_LOCAL_LAMBDA_WORKERS", "10")),
            wait_scale=float(env.get("PENSTOCK_LOCAL_WAIT_SCALE", "1")),
        )


_current: LocalSettings | None = None


def use(settings: LocalSettings) -> None:
    """Make `settings` those of this process."""
    global _current
    _current = settings


def current() -> LocalSettings:
    """The settings of this process; an error before the launcher has set them."""
    if _current is None:
        raise RuntimeError("Penstock Local has not been started in this process")
    return _current
