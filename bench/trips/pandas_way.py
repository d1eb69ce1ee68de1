"""The same work as most samples do it: the whole file in a pandas frame, step by step."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from trips.data import PAYMENTS
from trips.pipeline import MOST_PASSENGERS, TYPES


def main(trips: Path, zones: Path, output: Path) -> None:
    """Write the good trips and the bad ones."""
    raw = pd.read_csv(trips, dtype=str, keep_default_na=False, na_values=[""])
    typed = pd.DataFrame(index=raw.index)
    reason = pd.Series("", index=raw.index)
    for name, kind in TYPES.items():
        if kind == "timestamp":
            typed[name] = pd.to_datetime(raw[name], format="%Y-%m-%d %H:%M:%S", errors="coerce")
        elif kind == "text":
            typed[name] = raw[name]
        else:
            typed[name] = pd.to_numeric(raw[name], errors="coerce")
        reason[typed[name].isna() & (reason == "")] = f"{name} is missing or unreadable"
    checks = {
        "the dropoff is not after the pickup": typed["dropoff_at"] <= typed["pickup_at"],
        "passengers": ~typed["passengers"].between(0, MOST_PASSENGERS),
        "payment": ~typed["payment"].isin(PAYMENTS),
    }
    for text, failed in checks.items():
        reason[failed & (reason == "")] = text
    # A line that ends too early has no dropoff; pandas itself does not tell.
    is_cut = raw["dropoff_zone"].isna()
    is_rejected = (reason != "") & (is_cut | ~(typed["distance"] <= 0))
    rejects = raw[is_rejected].assign(reason=reason[is_rejected])
    good = typed[(reason == "") & (typed["distance"] > 0)]
    for name in ("trip_id", "passengers", "pickup_zone", "dropoff_zone"):
        good = good.assign(**{name: good[name].astype("int64")})
    table = pd.read_csv(zones)
    for end in ("pickup", "dropoff"):
        names = {"zone": f"{end}_zone", "borough": f"{end}_borough", "name": f"{end}_name"}
        good = good.merge(table.rename(columns=names), on=f"{end}_zone")
    good.to_parquet(output / "trips.parquet", index=False)
    rejects.to_json(output / "rejects.json", orient="records", lines=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
