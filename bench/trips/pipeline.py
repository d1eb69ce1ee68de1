"""What every contestant has to do, and the specification by which Penstock's jobs do it."""

from __future__ import annotations

from typing import Any

from trips.data import PAYMENTS

TYPES = {
    "trip_id": "integer",
    "vendor": "text",
    "pickup_at": "timestamp",
    "dropoff_at": "timestamp",
    "passengers": "integer",
    "distance": "decimal(6,1)",
    "pickup_zone": "integer",
    "dropoff_zone": "integer",
    "payment": "text",
    "fare": "decimal(8,2)",
    "tip": "decimal(8,2)",
    "total": "decimal(8,2)",
}
MOST_PASSENGERS = 8

RULES: dict[str, list[Any]] = {
    "passengers": [{"rule": "range", "min": 0, "max": MOST_PASSENGERS}],
    "payment": [{"rule": "in_set", "values": list(PAYMENTS)}],
}

SPECIFICATION: dict[str, Any] = {
    "columns": [
        {"name": name, "type": kind, "rules": ["not_null", *RULES.get(name, [])]}
        for name, kind in TYPES.items()
    ],
    "rules": [
        {
            "rule": "expression",
            "sql": "dropoff_at > pickup_at",
            "message": "the dropoff is not after the pickup",
        }
    ],
    "filter": "distance > 0",
    "join": [
        {
            "with": "zones",
            "on": {f"{end}_zone": "zone"},
            "columns": [
                {"name": f"{end}_borough", "from": "borough"},
                {"name": f"{end}_name", "from": "name"},
            ],
            "unmatched": "reject",
        }
        for end in ("pickup", "dropoff")
    ],
}
