"""What the workers of a job run would use on EMR Serverless, from the sizes that it asks for."""

from __future__ import annotations

from penstock_local.job_processes.spark import mebibytes

# EMR Serverless' defaults for Spark: 3 executors and a driver, 4 vCPU and 14 GB of heap each.
_CORES, _MEMORY, _EXECUTORS, _DISK_GB = "4", "14g", "3", 20.0
_OVERHEAD = 1.1


def used(settings: dict[str, str]) -> dict[str, float]:
    """vCPU, GB of memory and GB of disk of the driver and of all executors together."""
    executors = int(settings.get("spark.executor.instances", _EXECUTORS))
    cores = memory = 0.0
    for worker, count in (("driver", 1), ("executor", executors)):
        heap = mebibytes(settings.get(f"spark.{worker}.memory", _MEMORY)) / 1024
        cores += count * int(settings.get(f"spark.{worker}.cores", _CORES))
        memory += count * heap * _OVERHEAD
    disk = _DISK_GB * (1 + executors)
    return {"vCPUHour": cores, "memoryGBHour": memory, "storageGBHour": disk}
