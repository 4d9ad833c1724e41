"""Serve an emulated Azure on loopback. Prints one line of JSON with its address and the
environment variables that clients need, then answers until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reconciler.local.azure.faults import load_faults
from reconciler.local.azure.server import EmulatedAzure, serve_until


def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM, after one line of JSON with URLs and environment."""
    azure = EmulatedAzure(**_arguments(options))
    asyncio.run(_serve(azure))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `emulate azure`."""
    parser.add_argument("--port", type=int, default=0, help="port (default: any that is free)")
    parser.add_argument("--tls", action="store_true", help="HTTPS with a generated certificate")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer")
    parser.add_argument("--faults", type=Path, help="YAML or JSON file of rules for misbehaviour")
    parser.add_argument("--seed", type=int, default=0, help="for ids, keys and chance")
    parser.add_argument("--state", type=Path, help="file in which the state is kept")
    parser.add_argument("--no-rate-limits", action="store_true", help="never answer 429 by itself")
    parser.add_argument(
        "--reader", action="append", default=[], metavar="CLIENT_ID",
        help="an identity that may read and not write (again for more)",
    )  # fmt: skip
    parser.add_argument(
        "--time-scale", type=float, default=0.0,
        help="times the usual duration of long operations (default 0: done when asked again)",
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of `python -m reconciler.local.azure`."""
    parser = argparse.ArgumentParser(prog="reconciler emulate azure", description=__doc__)
    add_arguments(parser)
    serve(parser.parse_args(arguments))


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "port": options.port,
        "tls": options.tls,
        "seed": options.seed,
        "latency_ms": options.latency_ms,
        "faults": load_faults(options.faults) if options.faults else (),
        "time_scale": options.time_scale,
        "rate_limits": not options.no_rate_limits,
        "state_file": options.state,
        "readers": frozenset(options.reader),
    }


async def _serve(azure: EmulatedAzure) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await serve_until(azure, stop)
