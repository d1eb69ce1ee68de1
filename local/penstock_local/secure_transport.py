"""Policies that ask for TLS hold on loopback, where nothing leaves the machine.

A template that is right on AWS denies requests without TLS (`aws:SecureTransport` false).
Penstock Local serves plain HTTP on loopback: such a policy would deny everything.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator

from penstock_local import pins
from penstock_local.settings import LocalSettings


def install(_: LocalSettings) -> None:
    """Answer `aws:SecureTransport` with true."""
    resolve = pins.replace(iam_evaluator, "_resolve_condition_key", None)

    def resolve_condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:securetransport":
            return "true"
        return resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_condition_key
