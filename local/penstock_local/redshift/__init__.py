"""The Amazon Redshift Data API on embedded DuckDB.

A request becomes a `Statement` in the `Ledger` and waits in the lane of its database
(`Warehouse`). An `Execution` runs it in a `Session`: the `interpreter` turns each SQL text into a
command, most of them through `dialect`, and rows go to disk as `ResultSet`s. `actions` answers.
"""

from penstock_local.redshift.service import install

__all__ = ["install"]
