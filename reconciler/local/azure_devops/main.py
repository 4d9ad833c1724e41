"""Running the emulated Azure DevOps as a program."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from reconciler.local.azure_devops.faults import Fault
from reconciler.local.azure_devops.server import EmulatedAzureDevOps, serve_until
from reconciler.local.faults import read_faults


def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM, after one line of JSON with URLs and environment."""
    content = read_faults(options.faults) if options.faults else {}
    devops = EmulatedAzureDevOps(
        port=options.port,
        tls=options.tls,
        seed=options.seed,
        latency_ms=options.latency_ms,
        faults=[Fault.of(rule) for rule in content.get("faults") or ()],
        webhook_url=options.webhook_url,
        merge_delay_s=options.merge_delay_s,
    )
    asyncio.run(_serve(devops))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `emulate azuredevops`."""
    parser.add_argument("--port", type=int, default=0, help="port (default: any that is free)")
    parser.add_argument("--tls", action="store_true", help="HTTPS with a generated certificate")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer")
    parser.add_argument("--faults", type=Path, help="YAML or JSON file of rules for misbehaviour")
    parser.add_argument("--seed", type=int, default=0, help="for tokens, secrets and chance")
    parser.add_argument("--webhook-url", default="", help="where service hooks are sent")
    parser.add_argument(
        "--merge-delay-s", type=float, default=0.0,
        help="how long after a change it is not known whether it merges (default 0: never)",
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of `python -m reconciler.local.azure_devops`."""
    parser = argparse.ArgumentParser(prog="reconciler emulate azuredevops", description=__doc__)
    add_arguments(parser)
    serve(parser.parse_args(arguments))


async def _serve(devops: EmulatedAzureDevOps) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await serve_until(devops, stop)
