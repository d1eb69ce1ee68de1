"""IAM decides who may run statements where, and whose statements one may see."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.redshift.data_api import ACCOUNT, REGION, Platform

WORKGROUP_ARN = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/analytics"
CLUSTER_ARN = f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:main"

Policy = dict[str, Any]

RUN: Policy = {"Action": ["redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"]}
LOOK: Policy = {
    "Action": [
        "redshift-data:DescribeStatement",
        "redshift-data:GetStatementResult",
        "redshift-data:CancelStatement",
        "redshift-data:ListStatements",
    ],
    "Resource": "*",
}
CREDENTIALS: Policy = {
    "Action": "redshift-serverless:GetCredentials",
    "Resource": WORKGROUP_ARN,
}
ON_WORKGROUP = {"Sql": "select 1", "WorkgroupName": "analytics", "Database": "dev"}
ON_CLUSTER = {"Sql": "select 1", "ClusterIdentifier": "main", "Database": "dev"}


class Roles:
    """Roles with policies of their own."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def client(self, *statements: dict[str, Any], session: str = "tests") -> Any:
        name = f"role-{uuid.uuid4().hex[:8]}"
        account = f"arn:aws:iam::{ACCOUNT}:root"
        arn = self._platform.role(name, statements, account)
        return self._platform.as_role("redshift-data", arn, session)


@pytest.fixture
def roles(platform: Platform) -> Roles:
    return Roles(platform)


def _denied(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"
    return str(raised.value)


def test_a_role_needs_the_action_on_the_workgroup(roles: Roles) -> None:
    allowed = roles.client({**RUN, "Resource": WORKGROUP_ARN}, CREDENTIALS)
    assert allowed.execute_statement(**ON_WORKGROUP)["DbUser"].startswith("IAMR:role-")
    message = _denied(allowed.execute_statement, **{**ON_WORKGROUP, "WorkgroupName": "other"})
    assert "redshift-data:ExecuteStatement" in message
    elsewhere = roles.client({**RUN, "Resource": WORKGROUP_ARN.replace("analytics", "other")})
    _denied(elsewhere.execute_statement, **ON_WORKGROUP)
    _denied(
        elsewhere.batch_execute_statement,
        Sqls=["select 1"],
        WorkgroupName="analytics",
        Database="dev",
    )


def test_temporary_credentials_need_their_own_permission(roles: Roles) -> None:
    without = roles.client({**RUN, "Resource": [WORKGROUP_ARN, CLUSTER_ARN]})
    message = _denied(without.execute_statement, **ON_WORKGROUP)
    assert f"redshift-serverless:GetCredentials on resource: {WORKGROUP_ARN}" in message
    message = _denied(without.execute_statement, **ON_CLUSTER)
    assert "redshift:GetClusterCredentialsWithIAM" in message
    assert "dbname:main/dev" in message
    message = _denied(without.execute_statement, DbUser="loader", **ON_CLUSTER)
    assert "redshift:GetClusterCredentials " in message
    assert "dbuser:main/loader" in message


def test_a_cluster_is_reached_as_iam_identity_or_as_database_user(roles: Roles) -> None:
    base = f"arn:aws:redshift:{REGION}:{ACCOUNT}"
    as_identity = roles.client(
        {**RUN, "Resource": CLUSTER_ARN},
        {
            "Action": "redshift:GetClusterCredentialsWithIAM",
            "Resource": f"{base}:dbname:main/dev",
        },
    )
    assert as_identity.execute_statement(**ON_CLUSTER)["DbUser"].startswith("IAMR:")
    as_user = roles.client(
        {**RUN, "Resource": CLUSTER_ARN},
        {
            "Action": "redshift:GetClusterCredentials",
            "Resource": [f"{base}:dbuser:main/loader", f"{base}:dbname:main/dev"],
        },
    )
    assert as_user.execute_statement(DbUser="loader", **ON_CLUSTER)["DbUser"] == "loader"


def test_a_workgroup_may_be_named_by_its_arn(roles: Roles) -> None:
    arn = f"{WORKGROUP_ARN.rpartition('/')[0]}/0f2b8d6e-1111-2222-3333-444455556666"
    allowed = roles.client(
        {**RUN, "Resource": arn}, {"Action": CREDENTIALS["Action"], "Resource": arn}
    )
    answer = allowed.execute_statement(**{**ON_WORKGROUP, "WorkgroupName": arn})
    assert answer["WorkgroupName"] == arn
    _denied(allowed.execute_statement, **ON_WORKGROUP)


def test_a_secret_takes_the_place_of_temporary_credentials(
    platform: Platform, roles: Roles
) -> None:
    secrets = platform.client("secretsmanager")
    name = f"secret-{uuid.uuid4().hex[:8]}"
    content = json.dumps({"username": "loader", "password": "Secret123"})
    arn = secrets.create_secret(Name=name, SecretString=content)["ARN"]
    reader = roles.client(
        {**RUN, "Resource": "*"}, {"Action": "secretsmanager:GetSecretValue", "Resource": arn}
    )
    answer = reader.execute_statement(SecretArn=arn, **ON_WORKGROUP)
    assert (answer["DbUser"], answer["SecretArn"]) == ("loader", arn)
    stranger = roles.client({**RUN, "Resource": "*"})
    message = _denied(stranger.execute_statement, SecretArn=arn, **ON_WORKGROUP)
    assert f"secretsmanager:GetSecretValue on resource: {arn}" in message
    secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(ClientError, match="can't find the specified secret"):
        reader.execute_statement(SecretArn=arn, **ON_WORKGROUP)


def test_a_secret_without_user_and_password_is_refused(platform: Platform, client: Any) -> None:
    name = f"secret-{uuid.uuid4().hex[:8]}"
    platform.client("secretsmanager").create_secret(Name=name, SecretString="not json")
    with pytest.raises(ClientError, match="must hold JSON with username and password"):
        client.execute_statement(SecretArn=name, **ON_WORKGROUP)


def test_statements_are_seen_by_the_role_that_ran_them_only(
    platform: Platform, roles: Roles, client: Any
) -> None:
    statements: list[Policy] = [{**RUN, "Resource": "*"}, CREDENTIALS, LOOK]
    name = f"role-{uuid.uuid4().hex[:8]}"
    arn = platform.role(name, statements, f"arn:aws:iam::{ACCOUNT}:root")
    first = platform.as_role("redshift-data", arn, "first")
    second = platform.as_role("redshift-data", arn, "second")
    stranger = roles.client(*statements)

    ran = first.execute_statement(WaitTimeSeconds=20, **ON_WORKGROUP)["Id"]

    assert second.describe_statement(Id=ran)["Status"] == "FINISHED"
    assert client.describe_statement(Id=ran)["Status"] == "FINISHED", "the account sees all"
    with pytest.raises(ClientError, match="Query does not exist"):
        stranger.describe_statement(Id=ran)
    assert stranger.list_statements(Status="ALL")["Statements"] == []
    assert [item["Id"] for item in second.list_statements()["Statements"]] == [ran]
    assert second.list_statements(RoleLevel=False)["Statements"] == []
    assert len(first.list_statements(RoleLevel=False)["Statements"]) == 1


def test_the_condition_key_of_the_managed_policy_works(platform: Platform, roles: Roles) -> None:
    own = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
    statements: list[Policy] = [
        {**RUN, "Resource": "*"},
        CREDENTIALS,
        {**LOOK, "Condition": own},
    ]
    name = f"role-{uuid.uuid4().hex[:8]}"
    arn = platform.role(name, statements, f"arn:aws:iam::{ACCOUNT}:root")
    first = platform.as_role("redshift-data", arn, "first")
    second = platform.as_role("redshift-data", arn, "second")
    ran = first.execute_statement(WaitTimeSeconds=20, **ON_WORKGROUP)["Id"]
    assert first.describe_statement(Id=ran)["Status"] == "FINISHED"
    assert second.describe_statement(Id=ran)["Status"] == "FINISHED"
    assert len(first.list_statements()["Statements"]) == 1
    _denied(roles.client(*statements).describe_statement, Id=ran)


def test_the_catalog_operations_need_permissions_as_well(roles: Roles) -> None:
    target = {"WorkgroupName": "analytics", "Database": "dev"}
    listing = {"Action": "redshift-data:ListTables", "Resource": WORKGROUP_ARN}
    assert roles.client(listing, CREDENTIALS).list_tables(**target)["Tables"] is not None
    _denied(roles.client(CREDENTIALS).list_tables, **target)
    _denied(roles.client(listing).list_tables, **target)
