"""The shipped jobs run here as they are: real DuckDB, real Spark, real HTTP to S3 and DynamoDB."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import psycopg
import pytest
from bench.mariadb_server import MariaDbMissingError, MariaDbServer
from bench.postgres_server import PostgresServer, packaged_programs
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.object_store import ObjectStore
from pyspark.sql import SparkSession
from tests.local.redshift.data_api import REGION, Platform
from tests.unit.glue.jdbc_driver import postgresql_driver

pytest.register_assert_rewrite("tests.unit.glue.both_engines")

GLUE = Path(__file__).parents[3] / "glue"
if str(GLUE) not in sys.path:
    sys.path.insert(0, str(GLUE))

BUCKET = "penstock-data"
LOGICAL_DATE = "2026-11-21"
JOB_ID = "20261121T050000Z-0f5a3c1e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """PySpark leaves sockets of the loopback to the garbage collector: no fault of a test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


def load_script(path: str) -> ModuleType:
    """A job's script, imported under a name of its own."""
    name = "glue_script_" + path.replace("/", "_").removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, GLUE / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arguments(job_name: str, attempt: int = 1, **own: Any) -> list[str]:
    """The argv that Penstock gives a job, the row's own arguments as the planner writes them."""
    result = f"s3://{BUCKET}/runs/{JOB_ID}/jobs/{job_name}/{attempt}/result.json"
    values = {
        "job_id": JOB_ID,
        "job_name": job_name,
        "category": "Daily_Covid",
        "logical_date": LOGICAL_DATE,
        "attempt": str(attempt),
        "result_path": result,
        "data_path": f"s3://{BUCKET}/data",
        **own,
    }
    argv = []
    for name, value in values.items():
        argv += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
    return argv


@pytest.fixture(scope="session")
def s3_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for S3: `s3://bucket/key` is `bucket/key` in it."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / BUCKET).mkdir()
    return folder


def iceberg_jar() -> Path | None:
    """The classes of Iceberg for this Spark, from a package that is for tests alone."""
    package = importlib.util.find_spec("snowpark_connect_deps_iceberg")
    folders = [Path(folder) for folder in (package and package.submodule_search_locations) or ()]
    jars = [
        jar for folder in folders for jar in folder.glob("jars/iceberg-spark-runtime-3.5_2.12*")
    ]
    return jars[0] if jars else None


@pytest.fixture(scope="session")
def spark(s3_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The one Spark session of the tests; its `s3://` is the folder."""
    view = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
    driver, iceberg = postgresql_driver(), iceberg_jar()
    extensions = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", str(driver or ""))
        .config("spark.driver.extraClassPath", str(iceberg or ""))
        .config("spark.sql.extensions", extensions if iceberg else "")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "3")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .config("spark.hadoop.fs.s3.impl", view)
        .config(
            f"spark.hadoop.fs.viewfs.mounttable.{BUCKET}.linkFallback",
            (s3_folder / BUCKET).as_uri(),
        )
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture
def engine(tmp_path: Path, aws: Platform) -> Iterator[Callable[[], DuckDbEngine]]:
    """Makes engines on DuckDB, as many as a test has jobs."""
    engines: list[DuckDbEngine] = []

    def make() -> DuckDbEngine:
        folder = tmp_path / f"engine{len(engines)}"
        folder.mkdir()
        engines.append(DuckDbEngine(folder, ObjectStore()))
        return engines[-1]

    yield make
    for one in engines:
        one.close()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Penstock Local's AWS with Redshift, on a free port of the loopback."""
    one = Platform(tmp_path_factory.mktemp("platform") / "home")
    yield one
    one.stop()


@pytest.fixture
def aws(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """An account with an empty data bucket; the environment leads every client to it."""
    for name, value in {
        "AWS_ENDPOINT_URL": platform.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    yield platform
    platform.reset()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The one PostgreSQL server of the tests."""
    server = PostgresServer(packaged_programs()).start()
    yield server
    server.stop()


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    """A connection to an empty database."""
    with postgres.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        yield connection


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDbServer]:
    """The one MariaDB server of the tests, where the machine has one."""
    server = MariaDbServer()
    try:
        server.start()
    except MariaDbMissingError as error:
        pytest.skip(f"{error}: apt-get install mariadb-server")
    yield server
    server.stop()


@pytest.fixture
def both(s3_folder: Path, spark: SparkSession, tmp_path: Path) -> Any:
    """Both engines on one folder that stands for S3."""
    from tests.unit.glue.both_engines import Both
    from tests.unit.glue.folder_store import FolderStore

    return Both(FolderStore(s3_folder), spark, tmp_path)
