"""The accepted records written by Spark, and all records counted in the same pass.

Keeping what has been judged costs Spark as much as judging it. So the records are counted while
those accepted are written, and judged once more for the rejects, if there are any; what only
rejects are counted for is counted there. An observed frame is also a wall to Spark's optimizer,
which would carry out each step anew for each column that a condition on the status needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Observation
from pyspark.sql.functions import count, expr, lit

from penstock_job.dialect import SPARK
from penstock_job.engine import JudgedRecords, of_known_types
from penstock_job.judged_table import IS_ASIDE, JUDGED, STATED, WRITTEN
from penstock_job.tally import REJECTED_COUNT, counted_in_rejects

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock_job.compiler import Program
    from penstock_job.spark_engine import SparkEngine


def write_accepted(engine: SparkEngine, program: Program, folder: str) -> JudgedRecords:
    """Write the accepted records to the folder; `penstock_judged` has those set aside."""
    stated, observation = engine.run(program.stated), Observation()
    late = counted_in_rejects(program.checks)
    counts = {
        f"penstock_count_{place}": sql
        for place, sql in enumerate(program.counts)
        if place not in late
    }
    observed = stated.observe(observation, *(expr(sql).alias(n) for n, sql in counts.items()))
    observed.createOrReplaceTempView(STATED)
    schema = engine.schema(program.whole)
    written = engine.write_parquet(of_known_types(program.whole, schema, SPARK), folder)
    engine.view(WRITTEN, engine.written_rows)
    found = {name: int(count) for name, count in observation.get.items()}
    _keep_aside(engine, stated, program)
    if late and found[f"penstock_count_{REJECTED_COUNT}"]:
        rejects = engine.row(program.tally)
        found.update((f"penstock_count_{place}", rejects[place]) for place in late)
    every = [found.get(f"penstock_count_{place}", 0) for place in range(len(program.counts))]
    return JudgedRecords(every, written)


def _keep_aside(engine: SparkEngine, stated: DataFrame, program: Program) -> None:
    """Keep the records that are set aside, once they are asked for."""
    stated.observe("penstock_aside", count(lit(1))).createOrReplaceTempView(STATED)
    engine.keep(JUDGED, f"SELECT * FROM ({program.described}) AS described WHERE {IS_ASIDE}")
