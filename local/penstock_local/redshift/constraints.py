"""The service's own model, by which requests are checked."""

from __future__ import annotations

from penstock_local.service_model import ServiceModel

SERVICE = "redshift-data"
MODEL = ServiceModel(SERVICE)
