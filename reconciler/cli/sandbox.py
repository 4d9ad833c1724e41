"""sandbox: everything on this machine, to try things out."""

from pathlib import Path

import click


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
    from reconciler.local.guide import places, steps

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
