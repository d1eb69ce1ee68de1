"""The function library of the dialect; importing a module registers its functions."""

from penstock_local.asl.jsonata.functions import (
    arrays,
    dates,
    dialect,
    encoding,
    integers,
    number_format,
    numbers,
    objects,
    patterns,
    strings,
    values,
)

__all__ = [
    "arrays",
    "dates",
    "dialect",
    "encoding",
    "integers",
    "number_format",
    "numbers",
    "objects",
    "patterns",
    "strings",
    "values",
]
