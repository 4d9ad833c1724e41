"""plan and apply."""

import json
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from reconciler.cli.console import width, write
from reconciler.cli.specs import ENVIRONMENT, SPECS, counted
from reconciler.core.errors import Refused, Transient

if TYPE_CHECKING:
    from reconciler.app import App
    from reconciler.core.model import Plan, Run
    from reconciler.engine import Reviewed

type Format = Literal["text", "markdown", "json"]

FORMATS = ("text", "markdown", "json")
CHANGES = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Source:
    """What to plan or apply: the specs of one environment, at a commit if they are clean."""

    files: Mapping[str, str]
    environment: str
    commit: str

    @classmethod
    def read(cls, folder: Path, environment: str) -> "Source":
        from reconciler.local.commit import commit_at
        from reconciler.local.folder import read_folder

        return cls(read_folder(folder), environment, commit_at(folder))

    @property
    def place(self) -> str:
        """Where the environment is, in words."""
        from reconciler.core.desired import environments

        target = next(one for one in environments(self.files) if one.name == self.environment)
        return " / ".join(
            filter(None, (target.subscription, target.resource_group, target.location))
        )


def finish[T](work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; asyncio is imported only by commands that need it."""
    import asyncio

    return asyncio.run(work)


def listen_to_logs() -> None:
    """Errors go to stderr as text, unless the settings ask for more; nothing changes in a process
    that listens already."""
    import logging
    import os

    from reconciler.telemetry import start_logs

    if not logging.getLogger().hasHandlers():
        start_logs(os.environ, "text", "error")


@asynccontextmanager
async def opened() -> AsyncIterator["App"]:
    """The application, as the environment variables configure it."""
    from reconciler.app import Settings, build

    listen_to_logs()
    app = build(Settings.from_env())
    try:
        yield app
    finally:
        await app.close()


@click.command()
@SPECS
@ENVIRONMENT
@click.option("--format", "shape", type=click.Choice(FORMATS), help="Default: text.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the plan to a file: JSON, unless --format says otherwise.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
def plan(
    specs: Path, environment: str, shape: Format | None, out: Path | None, detailed_exitcode: bool
) -> int:
    """Show what applying would do. Changes nothing.

    \b
    Examples:
      reconciler plan -e prod
      reconciler plan -e prod --out plan.json     then: reconciler apply -e prod --plan plan.json
      reconciler plan -e prod --format markdown   the pull request comment
    """
    source = Source.read(specs, environment)
    with counted(source.files):
        made = finish(_plan(source))
    if out:
        _save(out, _shown(made, source, shape or "json"))
    if out or shape in (None, "text"):
        _show(made, source)
    else:
        click.echo(_shown(made, source, shape or "text"), nl=False)
    return CHANGES if detailed_exitcode and made.changes else 0


async def _plan(source: Source) -> "Plan":
    from reconciler.cli.progress import reporter

    async with opened() as app:
        with reporter() as progress:
            return await app.plan(source.files, source.environment, source.commit, progress)


def _shown(made: "Plan", source: Source, shape: Format) -> str:
    from reconciler.core.render import plain, plan_json, plan_markdown, plan_text

    if shape == "json":
        return json.dumps(plan_json(made), indent=2) + "\n"
    if shape == "markdown":
        return plan_markdown(made, place=source.place)
    return plain(plan_text(made, place=source.place))


def _show(made: "Plan", source: Source) -> None:
    from reconciler.core.render import plan_text

    write(plan_text(made, width=width(), place=source.place))


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error


@click.command()
@SPECS
@ENVIRONMENT
@click.option(
    "--plan",
    "reviewed",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The JSON plan that was reviewed: what it did not delete or replace will not be.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--allow", metavar="DIGEST", help="Allow this very plan what a safety rule refused.")
def apply(
    specs: Path, environment: str, reviewed: Path | None, yes: bool, allow: str | None
) -> int:
    """Make Azure as the specs declare; goes on with an interrupted run.

    Shows the plan and asks first. Ctrl-C stops waiting: what was sent to Azure continues there, and
    applying again goes on from where it stands. Ctrl-C twice leaves at once.

    \b
    Examples:
      reconciler apply -e dev
      reconciler apply -e prod --plan plan.json --yes
    """
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused("there is no terminal to ask on: look at the plan, then apply with --yes")
    source = Source.read(specs, environment)
    agreed = _reviewed(reviewed, environment) if reviewed else None
    with counted(source.files):
        run = finish(_apply(source, agreed, ask=not yes, allow=allow))
    if run is None:
        return INTERRUPTED
    from reconciler.core.render import run_text

    write(run_text(run, width=width()))
    return {"done": 0, "running": INTERRUPTED, "refused": 3}.get(run.state, 1)


def _reviewed(path: Path, environment: str) -> "Reviewed":
    """What a plan file promises. Raises UsageError when it is not one, or not this one."""
    from reconciler.core.model import DANGEROUS, Key, digest_of
    from reconciler.engine import Reviewed

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        dangerous = frozenset(
            (
                str(change["action"]),
                Key.parse(f"{change['kind']}/{change['name']}"),
                str(change["armId"]).lower(),
            )
            for change in content["changes"]
            if change["action"] in DANGEROUS
        )
        of, digest = str(content["environment"]), str(content["digest"])
        edited = digest != digest_of(content["changes"])
    except (ValueError, KeyError, TypeError) as error:
        hint = "make one with: reconciler plan --out FILE"
        raise click.UsageError(f"{path} is not a plan in JSON; {hint}") from error
    if of != environment:
        raise click.UsageError(f"{path} is a plan for {of}, not for {environment}")
    if edited:
        raise click.UsageError(f"{path} was edited: its changes are not those of plan {digest}")
    return Reviewed(digest, dangerous)


async def _apply(
    source: Source, agreed: "Reviewed | None", *, ask: bool, allow: str | None
) -> "Run | None":
    """The run as it stands; None when it was stopped before there was one."""
    from reconciler.cli.progress import reporter
    from reconciler.cli.stop import stoppable

    async with opened() as app:
        if ask:
            shown = await _agree(app, source)
            agreed = agreed or shown
        with reporter() as progress, stoppable(progress) as stop:
            try:
                return await app.apply(
                    source.files,
                    source.environment,
                    source.commit,
                    reviewed=agreed,
                    allow=allow,
                    requested_by=_user(),
                    stopping=lambda: stop.asked,
                    progress=stop.watching(progress),
                )
            except Transient:
                if stop.asked:
                    return None  # stopped while going on with an earlier run
                raise


async def _agree(app: "App", source: Source) -> "Reviewed":
    """Show the plan and wait for a yes; anything else ends the command."""
    from reconciler.cli.progress import reporter
    from reconciler.engine import Reviewed

    with reporter() as progress:
        made = await app.plan(source.files, source.environment, source.commit, progress)
    _show(made, source)
    if made.changes and not made.blocked:
        click.echo()
        if not click.confirm(f"Apply this to {source.environment}?"):
            click.echo("Nothing was changed.", err=True)
            raise click.exceptions.Exit(1)
    return Reviewed.of(made)


def _user() -> str:
    """Who asks, for the record; "" where the system has no name for them."""
    import getpass

    with suppress(OSError, KeyError):
        return getpass.getuser()
    return ""
