"""sandbox: everything on this machine, to try things out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reconciler.local.sandbox import Sandbox


@click.command(short_help="The Function App, an emulated Azure and GitHub, to try out.")
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
    Pull requests are answered, what is merged is applied; what you change in the emulated Azure
    by hand is found. Nothing outlives the sandbox.
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
            click.echo(f"{places(found)}\n\n{steps(found)}\n\nCtrl-C ends it all.")
        stop.wait()


def places(found: "Sandbox") -> str:
    """Where everything is."""
    return f"""\
The repository       {found.github}/{found.repository}
  a clone to edit    {found.work}
The Function App     {found.app}
  its key            {found.key}
  its log            {found.log}
The emulated Azure   {found.azure}"""


def steps(found: "Sandbox") -> str:
    """Lines for another terminal: a pull request, and what else can be asked."""
    tokens = "\n  ".join(f"{name}={token}" for name, token in found.tokens.items())
    key = f'-H "x-functions-key: {found.key}"'
    return f"""\
A pull request, in another terminal:
  cd {found.work}
  git switch -c more
  # change something in the specs
  git commit -am "More" && git push origin more
The push tells the page to open it on; comment and merge there. Or, with curl:
  {tokens}
  api={found.api}/repos/{found.repository}
  as() {{ curl -s -H "Authorization: Bearer $1" "${{@:2}}"; }}
  as $developer $api/pulls -d '{{"title": "More", "head": "more", "base": "main"}}'
  as $developer $api/issues/1/comments -d '{{"body": "/plan"}}'
  as $maintainer -X PUT $api/pulls/1/merge

The app and its state:
  curl -s {key} {found.app}/api/environments
  curl -s {key} {found.app}/api/runs
  RECONCILER_STATE={found.state} reconciler runs"""
