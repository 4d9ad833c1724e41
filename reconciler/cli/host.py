"""host: the Function App on this machine, without the Core Tools."""

from pathlib import Path

import click

PROJECT = Path(__file__).resolve().parents[2]
"""Where function_app.py and host.json are in a checkout."""


@click.command(short_help="Run the Function App on this machine, without the Core Tools.")
@click.option("--port", default=0, help="Port (default: any that is free).")
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=PROJECT,
    help="The folder with function_app.py and host.json.",
)
@click.option(
    "--host-state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".reconciler/host"),
    show_default=True,
    help="Where the host remembers when timers last ran.",
)
@click.option(
    "--hidden-s",
    default=600.0,
    show_default=True,
    help="How long a message of a worker that died stays hidden, in seconds.",
)
def host(port: int, project: Path, host_state: Path, hidden_s: float) -> None:
    """Print one line of JSON (address and keys), then run the app until Ctrl-C.

    \b
    Routes, keys, timers and queues work as on the Azure Functions host. The queues are in the
    file that RECONCILER_STATE names (sqlite:PATH). The key of the functions is taken from
    LOCAL_HOST_KEY, or made up.
    """
    import asyncio
    import logging
    import os

    os.environ.setdefault("RECONCILER_LOG", "text")  # a person reads along
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(_serve(port, project, host_state, hidden_s))


async def _serve(port: int, project: Path, host_state: Path, hidden_s: float) -> None:
    import asyncio
    import json
    import os
    import secrets
    import signal

    from reconciler.app import close_service
    from reconciler.core.errors import Permanent
    from reconciler.local.host.host import Host, Place
    from reconciler.local.host.web import Keys
    from reconciler.local.host.worker import NotHosted
    from reconciler.settings import Settings
    from reconciler.state.sqlite_queue import SqliteQueue

    kind, _, path = Settings.from_env().state.partition(":")
    if kind != "sqlite":
        raise Permanent("queues are hosted here with RECONCILER_STATE=sqlite:PATH; else func start")
    keys = Keys(
        os.environ.get("LOCAL_HOST_KEY") or secrets.token_urlsafe(), secrets.token_urlsafe()
    )
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    place = Place(project, host_state, lambda queue: SqliteQueue(path, queue), keys, port, hidden_s)
    try:
        async with Host(place) as running:
            # As App Service does with WEBSITE_HOSTNAME; nothing has run yet.
            os.environ.setdefault("RECONCILER_PUBLIC_URL", running.url)
            told = {"url": running.url, "key": keys.function, "master": keys.master}
            click.echo(json.dumps(told))
            await stop.wait()
    except NotHosted as error:
        raise Permanent(str(error)) from error
    finally:
        await close_service()
