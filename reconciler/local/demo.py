"""``make demo``: the main job end to end against an emulated Azure, as a person would do it.

Every command shown is really run, as its own process; the demo fails when one answers anything
but what the story says.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console


class Story:
    """Tells what happens, runs it, and checks that it happened."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.environment = environment

    def say(self, text: str) -> None:
        self.console.print(f"\n[bold cyan]▌[/] {text}")

    def run(self, *arguments: str, expect: int = 0) -> None:
        """Run ``reconciler …`` with the terminal as it is; exit when it answers otherwise."""
        self.console.print(f"[dim]$[/] [bold]reconciler {' '.join(arguments)}[/]")
        sys.stdout.flush()
        command = [sys.executable, "-m", "reconciler", *arguments]
        answer = subprocess.run(command, env=self.environment, check=False).returncode  # noqa: S603
        if answer != expect:
            self.console.print(f"[red]The demo expected exit code {expect}, not {answer}.[/]")
            raise SystemExit(1)


@contextmanager
def emulated_azure(environment: dict[str, str]) -> Iterator[dict[str, object]]:
    """An emulated Azure in its own process; ends with the block."""
    command = [sys.executable, "-m", "reconciler", "emulate", "azure", "--time-scale", "0.02"]
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the emulated Azure did not start")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(timeout=10)


def change_by_hand(arm: str, arm_id: str, patch: dict[str, object]) -> None:
    """What a colleague does in the portal, unseen by the reconciler."""
    request = urllib.request.Request(  # noqa: S310 - the emulator's own loopback address
        f"{arm}/_emulator/resources{arm_id}",
        json.dumps(patch).encode(),
        {"Content-Type": "application/json"},
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - as above
        pass


def tamper_with(subscription: str) -> str:
    """The ARM id of the deployment that the demo changes by hand."""
    return (
        f"/subscriptions/{subscription}/resourceGroups/rg-ai-dev/providers"
        "/Microsoft.CognitiveServices/accounts/aoai-contoso-dev/deployments/chat"
    )


def main() -> None:
    """Tell the story once; then, unless ``ONCE`` is set, leave the emulated Azure running."""
    once = bool(os.environ.get("ONCE"))
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder:
        environment = {**os.environ, "RECONCILER_STATE": f"sqlite:{folder}/state.db"}
        environment["RECONCILER_POLL_S"] = "0.2"
        for name in ("HF_TOKEN", "WEATHER_KEY"):  # secrets that specs/ names as settings
            environment[f"RECONCILER_SECRET_{name}"] = f"a made-up {name.lower()}"
        with emulated_azure(environment) as started:
            arm = str(started["arm"])
            given = started["environment"]
            assert isinstance(given, dict)
            environment.update({str(name): str(value) for name, value in given.items()})
            story = Story(environment)
            tell(story, arm)
            if not once:
                stay(story, environment, folder)


def tell(story: Story, arm: str) -> None:
    story.say("An Azure of our own is up, emulated on this machine. Are the specs valid?")
    story.run("validate")
    story.say("What would applying them to [bold]dev[/] do?")
    story.run("plan", "-e", "dev", "--detailed-exitcode", expect=2)
    story.say("Do it.")
    story.run("apply", "-e", "dev", "--yes")
    story.say("The second plan is empty.")
    story.run("plan", "-e", "dev", "--detailed-exitcode", expect=0)
    deployment = tamper_with(story.environment["AZURE_SUBSCRIPTION_ID"])
    name = deployment.rpartition("/")[2]
    story.say(f'Somebody opens the portal and gives the deployment "{name}" another capacity …')
    change_by_hand(arm, deployment, {"sku": {"capacity": 3}})
    story.say("… which is found …")
    story.run("plan", "-e", "dev", "--detailed-exitcode", expect=2)
    story.say("… and healed.")
    story.run("apply", "-e", "dev", "--yes")
    story.run("plan", "-e", "dev", "--detailed-exitcode", expect=0)
    story.say("That is all: declared, applied, verified, kept. [dim]Specs: specs/[/]")


def stay(story: Story, environment: dict[str, str], folder: str) -> None:
    """Keep the emulated Azure up for a person to play with, until Ctrl-C."""
    names = sorted(name for name in environment if environment[name] != os.environ.get(name))
    story.say("The emulated Azure stays up until Ctrl-C. In another terminal:")
    for name in names:
        story.console.print(f"  export {name}={environment[name]}", style="green")
    story.console.print(f"  {Path(sys.executable).parent / 'reconciler'} plan -e dev\n")
    try:
        while True:
            input()
    except (KeyboardInterrupt, EOFError):
        story.console.print(f"Stopped; {folder} is removed.", style="dim")


if __name__ == "__main__":
    main()
