"""runs and show: what was done, by whom, and how it ended."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.console import width, write
from reconciler.cli.reconcile import FORMATS, Format, finish, opened

if TYPE_CHECKING:
    from reconciler.core.model import Run, RunHeader
    from reconciler.core.render import Line

STYLES = {"done": "create", "failed": "error", "refused": "error", "running": "update"}


@click.command()
@click.option("-e", "--environment", default="", metavar="ENV", help="Only this environment's.")
@click.option("--format", "shape", type=click.Choice(("text", "json")), default="text")
def runs(environment: str, shape: str) -> None:
    """List runs, newest first."""
    found = finish(_runs(environment))
    if shape == "json":
        click.echo(json.dumps([_summary(run) for run in found], indent=2))
    elif found:
        write([_line(run) for run in found])
    else:
        click.echo("There are no runs yet.")


async def _runs(environment: str) -> "list[RunHeader]":
    async with opened() as app:
        return await app.store.runs(environment)


def _line(run: "RunHeader") -> "Line":
    """Id, environment, how it ended, when, by whom, and what it was about."""
    from reconciler.core.render.words import clean, commit_text, counts

    return (
        (clean(run.id).ljust(23), "strong"),
        (clean(run.environment).ljust(12), ""),
        (run.state.ljust(10), STYLES.get(run.state, "warning")),
        (f"{clean(run.requested_by).ljust(12)} {counts(run.summary)} · ", ""),
        (commit_text(run.commit), "quiet"),
    )


def _summary(run: "RunHeader") -> dict[str, Any]:
    return {
        "id": run.id,
        "environment": run.environment,
        "mode": run.mode,
        "commit": run.commit,
        "digest": run.digest,
        "state": run.state,
        "detail": run.detail,
        "requestedBy": run.requested_by,
        "createdAt": run.created_at,
        "endedAt": run.ended_at,
        "summary": dict(run.summary),
    }


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--format", "shape", type=click.Choice(FORMATS), default="text")
def show(run_id: str, shape: Format) -> None:
    """Show one run: every resource, how it ended, how long it took; of a plan, what it found."""
    from reconciler.core.render import (
        plan_markdown,
        plan_text,
        run_json,
        run_markdown,
        run_text,
    )

    run = finish(_run(run_id))
    if run is None:
        raise click.ClickException(f'there is no run "{run_id}"; `reconciler runs` lists them')
    now = datetime.now(UTC).isoformat()
    planned = run.mode == "plan" and run.state == "done"
    if shape == "json":
        click.echo(json.dumps(run_json(run), indent=2))
    elif planned and shape == "markdown":
        click.echo(plan_markdown(run.plan), nl=False)
    elif planned:
        write(plan_text(run.plan, width=width()))
    elif shape == "markdown":
        click.echo(run_markdown(run, now=now), nl=False)
    else:
        write(run_text(run, width=width(), now=now))


async def _run(run_id: str) -> "Run | None":
    async with opened() as app:
        return await app.store.run(run_id)
