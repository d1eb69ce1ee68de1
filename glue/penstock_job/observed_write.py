"""The accepted records written by Spark, and all records counted in the same pass.

Keeping what has been judged costs Spark as much as judging it. So the records are counted while
those accepted are written, and judged once more for the rejects, if there are any. An observed
frame is also a wall to Spark's optimizer, which would carry out each step anew for each column that
a condition on the status needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Observation
from pyspark.sql.functions import count, expr, lit

from penstock_job.dialect import SPARK
from penstock_job.engine import JudgedRecords, of_known_types
from penstock_job.judged_table import IS_ASIDE, JUDGED, WRITTEN

if TYPE_CHECKING:
    from penstock_job.compiler import Program
    from penstock_job.spark_engine import SparkEngine


def write_accepted(engine: SparkEngine, program: Program, folder: str) -> JudgedRecords:
    """Write the accepted records to the folder; `penstock_judged` has those set aside."""
    judged, observation = engine.run(program.judged), Observation()
    names = [f"penstock_count_{number}" for number in range(len(program.counts))]
    counts = [expr(sql).alias(name) for sql, name in zip(program.counts, names)]
    judged.observe(observation, *counts).createOrReplaceTempView(JUDGED)
    schema = engine.schema(program.whole)
    written = engine.write_parquet(of_known_types(program.whole, schema, SPARK), folder)
    engine.view(WRITTEN, engine.written_rows)
    found = observation.get
    judged.observe("penstock_aside", count(lit(1))).createOrReplaceTempView(JUDGED)
    engine.keep(JUDGED, f"SELECT * FROM {JUDGED} WHERE {IS_ASIDE}")
    return JudgedRecords([int(found[name]) for name in names], written)
