"""`penstock rejects`: which records were rejected, and what is to become of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock.domain.reject_batch import RejectBatch
from penstock.domain.rejects_digest import spoken_rules
from penstock.domain.table_report import TableRejects
from penstock_cli.errors import CommandError
from penstock_cli.kept_rejects import TableRecord, records_of, table_records_of
from penstock_cli.stack import Stack

LONGEST_RECORD = 300


def list_rejects(console: Console, stack: Stack, category: str) -> None:
    """Print the batches of a category, or of all, that are open or rest."""
    categories = [category] if category else stack.rejects.categories()
    found = [batch for each in categories for batch in stack.rejects.of_category(each)]
    if not found:
        console.print("No rejected record is open or resting.")
        return
    at_work = _open_runs(stack)
    for each in categories:
        batches = [batch for batch in found if batch.category == each]
        if batches:
            console.print(Text(each, style="bold"))
            console.print(_batch_table(batches, at_work))
            console.print()
    open_rows, resting = sum(b.open for b in found), sum(b.resting for b in found)
    console.print(
        f"{open_rows:,} open: the next run of their job tries them. {resting:,} resting: "
        "nobody tries them until `penstock rejects retry`.",
        highlight=False,
    )


def show_rejects(
    console: Console, stack: Stack, job_id: str, jobs: Sequence[str], limit: int
) -> None:
    """Print the records that a run has rejected, each with its reason.

    `jobs` are names of jobs; those of tables (`shop/orders`) count as such.
    """
    noted = [
        (batch, fate)
        for batch, fate in stack.rejects.of_run(job_id)
        if not jobs or batch.job_name in jobs
    ]
    tables = [
        each
        for each in stack.tables.rejects(job_id)
        if not jobs or each.job_name in jobs or each.table in jobs
    ]
    if not noted and not tables:
        raise CommandError(f"run {job_id} has rejected nothing{_of(jobs)}, or is forgotten")
    for table in tables:
        _show_table(console, stack, table, limit)
    for batch, fate in noted:
        _show_batch(console, stack, batch, fate, limit)


def _show_batch(
    console: Console, stack: Stack, batch: RejectBatch, fate: dict[str, str], limit: int
) -> None:
    """Print what a job has rejected, and what has become of it."""
    total = batch.open + batch.resting
    console.print(
        Text.assemble((batch.job_name, "bold"), f" for {batch.logical_date}: "),
        f"{total:,} rejected: {spoken_rules(batch.by_rule)}",
        highlight=False,
        sep="",
    )
    console.print(Text(batch.path, style="dim"), soft_wrap=True)
    if fate:
        console.print(Text(_spoken_fate(fate), style="yellow"))
    rows = [
        (
            record.key or (f"line {record.line}" if record.line else ""),
            str(record.attempt),
            record.reason,
            record.record,
        )
        for record in records_of(stack.client("s3"), batch.path, limit)
    ]
    _print_records(console, rows, total)


def _show_table(console: Console, stack: Stack, table: TableRejects, limit: int) -> None:
    """Print what the extract of a table has rejected: its next extract reads the source anew."""
    console.print(
        Text.assemble((table.table, "bold"), f": {table.rows:,} rejected"), highlight=False
    )
    if not table.path:
        console.print(Text("The records are kept nowhere.\n", style="yellow"))
        return
    console.print(Text(table.path, style="dim"), soft_wrap=True)
    rows = [
        (_place(record), "", record.reason, record.record)
        for record in table_records_of(stack.client("s3"), table.path, limit)
    ]
    _print_records(console, rows, table.rows)


def _place(record: TableRecord) -> str:
    file = record.file.rpartition("/")[2]
    return f"{file}, line {record.line}" if record.line else file


def retry_rejects(console: Console, stack: Stack, job_id: str, jobs: Sequence[str]) -> None:
    """Have the next run try what a run has rejected, resting or not, as if for the first time."""
    for batch in _left_of(stack, job_id, jobs):
        if not stack.rejects.put_up(batch):
            raise CommandError(f"{batch.job_name}: its rejects have just changed; look again")
        [put_up] = [b for b in _left_of(stack, job_id, [batch.job_name]) if b.path == batch.path]
        stack.queue.send_rejects(put_up)
        console.print(
            f"{batch.job_name}: {put_up.open:,} records are tried again by the next run of "
            f"{batch.category} in which it runs",
            highlight=False,
        )


def drop_rejects(
    console: Console, stack: Stack, job_id: str, jobs: Sequence[str], reason: str, *, ask: bool
) -> None:
    """Give up what is left of a run's rejects, after asking; who and why is kept with the run."""
    batches = _left_of(stack, job_id, jobs)
    rows = sum(batch.open + batch.resting for batch in batches)
    console.print(_batch_table(batches, frozenset()))
    if ask and not typer.confirm(f"Never try these {rows:,} records again?"):
        raise typer.Exit(1)
    who = stack.client("sts").get_caller_identity()["Arn"]
    for batch in batches:
        fate = {"By": who, "At": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"}
        fate |= {"Reason": reason} if reason else {}
        if not stack.rejects.drop(batch, fate):
            raise CommandError(f"{batch.job_name}: its rejects have just changed; look again")
        number = batch.open + batch.resting
        console.print(f"{batch.job_name}: {number:,} records dropped", highlight=False)
    console.print(Text("Their files stay where they are.", style="dim"))


def _left_of(stack: Stack, job_id: str, jobs: Sequence[str]) -> list[RejectBatch]:
    """The batches of a run that are open or rest and that no run is trying just now."""
    categories = {batch.category for batch, fate in stack.rejects.of_run(job_id) if not fate}
    run = stack.run_table.run(job_id)
    categories |= {run.category} if run else set()
    at_work = _open_runs(stack)
    found = [
        batch
        for category in sorted(categories or stack.rejects.categories())
        for batch in stack.rejects.of_category(category)
        if batch.job_id == job_id and (not jobs or batch.job_name in jobs)
    ]
    if not found:
        raise CommandError(f"nothing that run {job_id} has rejected{_of(jobs)} is open or rests")
    for batch in found:
        if batch.taken_by in at_work:
            raise CommandError(
                f"{batch.job_name}: run {batch.taken_by} is trying its rejects; wait for its end"
            )
    return found


def _open_runs(stack: Stack) -> frozenset[str]:
    return frozenset(run.job_id for run in stack.leases.open_runs())


def _batch_table(batches: Sequence[RejectBatch], at_work: frozenset[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("job, run and rules", overflow="fold")
    table.add_column("for", no_wrap=True)
    table.add_column("open", justify="right")
    table.add_column("resting", justify="right")
    for batch in batches:
        lines = [Text(batch.job_name), Text(batch.job_id, style="dim")]
        lines.append(Text(spoken_rules(batch.by_rule), style="dim"))
        if batch.taken_by in at_work:
            lines.append(Text(f"being tried by {batch.taken_by}", style="cyan"))
        table.add_row(
            Text("\n").join(lines),
            batch.logical_date,
            Text(f"{batch.open:,}", style="yellow" if batch.open else "dim"),
            Text(f"{batch.resting:,}", style="red" if batch.resting else "dim"),
        )
    return table


def _print_records(
    console: Console, records: Sequence[tuple[str, str, str, str]], total: int
) -> None:
    """Print where each record was, how often it was tried, the reason and the record."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("key or line", overflow="fold", max_width=24)
    table.add_column("try" if any(tried for _, tried, *_ in records) else "", justify="right")
    table.add_column("reason and record", overflow="fold")
    for where, tried, reason, record in records:
        shown = record if len(record) <= LONGEST_RECORD else f"{record[:LONGEST_RECORD]}…"
        what = Text("\n").join([Text(reason, style="yellow"), Text(shown)])
        table.add_row(where, tried, what)
    console.print(table)
    if total > len(records):
        console.print(Text(f"… and {total - len(records):,} more (--limit)", style="dim"))
    console.print()


def _spoken_fate(fate: dict[str, str]) -> str:
    why = f": {fate['Reason']}" if fate.get("Reason") else ""
    what = "tried again" if fate["What"] == "RETRIED" else "dropped"
    return f"{what} by {fate['By']} at {fate['At']}{why}"


def _of(jobs: Sequence[str]) -> str:
    return f" in {', '.join(jobs)}" if jobs else ""
