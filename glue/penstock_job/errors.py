"""The failures of a job, each worded for the person who reads the digest."""

from __future__ import annotations


class JobError(Exception):
    """A failure that a job explains itself, on one line.

    Glue and Penstock Local both take the last line of the traceback as the cause of a failed run.
    So the text is folded to one line, and the class says that it is a builtin, because Python then
    prints `SourceError: …` rather than `penstock_job.errors.SourceError: …`.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__module__ = "builtins"

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class ArgumentsError(JobError):
    """The job was started with arguments it cannot work with."""


class SpecificationError(JobError):
    """The columns, rules or SQL of the job's row cannot be read or do not fit the data."""


class EngineError(JobError):
    """DuckDB or Spark failed at the work: no memory, no disk, no permission."""


class SourceError(JobError):
    """The source of an extract did not answer, or answered something that cannot be read."""


class SchemaDriftError(JobError):
    """The columns of a table are no longer what its published data was made of."""


class TablesFailedError(JobError):
    """Some tables of an extract could not be extracted; the others were, and are published."""


class InputError(JobError):
    """What an upstream job should have published is missing, or is not what its manifest says."""


class StaleAttemptError(JobError):
    """A newer attempt of the same job has published already; this one must not replace it."""


class RuleViolatedError(JobError):
    """A rule that must hold for the whole data set does not, or too many records were rejected."""


class AccountingError(JobError):
    """Rows read are not rows written + rejected + filtered; nothing was published."""


class LoadError(JobError):
    """A target of a load refused the data."""


class CatalogError(JobError):
    """The Glue Data Catalog refused a table that was published; its data are there all the same."""


class LeaseError(JobError):
    """Another load is writing to the same target, or may be."""
