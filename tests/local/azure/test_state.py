"""Stopping the emulated Azure and starting it again, and running it as a program."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

from reconciler.local.azure import EmulatedAzure, ManualClock
from tests.local.azure.client import Client, account_body


async def test_everything_is_still_there_after_a_restart(tmp_path: Path) -> None:
    file, clock = tmp_path / "azure.json", ManualClock()

    def azure() -> EmulatedAzure:
        return EmulatedAzure(state_file=file, clock=clock, time_scale=1.0)

    async with Client(azure()) as client:
        await client.a_group()
        made = await client.send("PUT", client.account, account_body())
        url = made.headers["azure-asyncoperation"].removeprefix(client.azure.url)
    async with Client(azure()) as client:
        early = await client.a_deployment()
        assert early.code == "AccountProvisioningStateInvalid"
        clock.advance(60)
        poll = await client.send("GET", client.azure.url + url)
        assert poll.body["status"] == "Succeeded"
        account = await client.send("GET", client.account)
        assert account.body["properties"]["provisioningState"] == "Succeeded"
        keys = (await client.send("POST", f"{client.account}/listKeys")).body
    async with Client(azure()) as client:
        assert (await client.send("POST", f"{client.account}/listKeys")).body == keys
    assert list(tmp_path.iterdir()) == [file]


async def test_it_runs_as_a_program_until_it_is_told_to_stop(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "reconciler.local.azure", "--state", str(state), "--tls",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    try:
        line = json.loads(await program.stdout.readline())
        assert line["arm"].startswith("https://localhost:")
        assert line["environment"]["RECONCILER_ARM_ENDPOINT"] == line["arm"]
        assert Path(line["environment"]["SSL_CERT_FILE"]).exists()
    finally:
        program.send_signal(signal.SIGTERM)
        assert await program.wait() == 0
    assert state.exists()
    assert not Path(line["environment"]["SSL_CERT_FILE"]).exists()
