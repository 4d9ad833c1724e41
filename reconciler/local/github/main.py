"""Running the emulated GitHub as a program."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from reconciler.local.github.faults import load_faults
from reconciler.local.github.hooks import Mischief
from reconciler.local.github.server import EmulatedGitHub, serve_until


def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM, after one line of JSON with URLs and environment."""
    faults, mischief = load_faults(options.faults) if options.faults else ([], Mischief())
    github = EmulatedGitHub(
        port=options.port,
        tls=options.tls,
        seed=options.seed,
        latency_ms=options.latency_ms,
        faults=faults,
        mischief=mischief,
        rate_limits=not options.no_rate_limits,
        webhook_url=options.webhook_url,
        mergeable_delay_s=options.mergeable_delay_s,
    )
    asyncio.run(_serve(github))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `emulate github`."""
    parser.add_argument("--port", type=int, default=0, help="port (default: any that is free)")
    parser.add_argument("--tls", action="store_true", help="HTTPS with a generated certificate")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer")
    parser.add_argument("--faults", type=Path, help="YAML or JSON file of rules for misbehaviour")
    parser.add_argument("--seed", type=int, default=0, help="for tokens, secrets and chance")
    parser.add_argument("--no-rate-limits", action="store_true", help="never refuse by itself")
    parser.add_argument("--webhook-url", default="", help="where the App's events are sent")
    parser.add_argument(
        "--mergeable-delay-s", type=float, default=0.0,
        help="how long after a change `mergeable` is null (default 0: never)",
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of `python -m reconciler.local.github`."""
    parser = argparse.ArgumentParser(prog="reconciler emulate github", description=__doc__)
    add_arguments(parser)
    serve(parser.parse_args(arguments))


async def _serve(github: EmulatedGitHub) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await serve_until(github, stop)
