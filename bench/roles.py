"""A role on Penstock Local for the machines and functions of a benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping

from penstock_cli.local_instance import Instance


def make_role(instance: Instance, services: list[str], actions: list[str]) -> str:
    """Make a role that the services may assume and that allows the actions; its ARN."""
    iam = instance.client("iam")
    principal = {"Service": [f"{service}.amazonaws.com" for service in services]}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName="bench", PolicyName="all", PolicyDocument=_policy(allow))
    arn: str = role["Role"]["Arn"]
    return arn


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
