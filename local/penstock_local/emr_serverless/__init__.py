"""EMR Serverless: applications, and job runs as real processes with the Spark of this machine.

ministack has nothing of it.
"""

from penstock_local.emr_serverless.service import install

__all__ = ["install"]
