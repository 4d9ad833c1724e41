"""sandbox: everything on this machine, to try things out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reconciler.local.sandbox import Sandbox


@click.command(short_help="The Function App, an emulated Azure and a Git repository, to try out.")
@click.argument(
    "specs", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("specs")
)
@click.option("-e", "--environment", "environments", multiple=True, help="Only this environment.")
@click.option(
    "--schedule",
    default="*/15 * * * * *",
    show_default=True,
    help="When the app looks by itself: six fields, seconds first.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json: one line, for programs.",
)
def sandbox(specs: Path, environments: tuple[str, ...], schedule: str, form: str) -> None:
    """Start everything on loopback, say where it is, and keep it up until Ctrl-C.

    \b
    What you push to the repository is applied; what you change in the emulated Azure by hand is
    changed back. Nothing outlives the sandbox.
    """
    import json
    import signal
    import tempfile
    import threading

    from reconciler.local import sandbox as local

    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with (
        tempfile.TemporaryDirectory(prefix="reconciler-sandbox-") as folder,
        local.sandbox(specs.resolve(), Path(folder), environments, schedule) as found,
    ):
        if form == "json":
            click.echo(json.dumps(found.told()))
        else:
            _tell(found)
        stop.wait()


def _tell(found: "Sandbox") -> None:
    key = f'-H "x-functions-key: {found.key}"'
    ask = """'{"environment": "dev", "mode": "plan"}'"""
    push = "git commit -am more && git push"
    click.echo(f"""\
The Function App            {found.app}
  its key                   {found.key}
  its log                   {found.log}
The emulated Azure          {found.azure}
The specs, to edit and push {found.work}

In another terminal:
  curl -s {key} {found.app}/api/environments
  curl -s {key} -d {ask} {found.app}/api/reconcile
  curl -s {key} {found.app}/api/runs
  RECONCILER_STATE={found.state} reconciler runs
  cd {found.work} && $EDITOR specs/openai/deployments.yaml && {push}

What is pushed is applied, what is changed by hand is changed back.
Ctrl-C ends it and takes everything away.""")
