"""``make demo``: the main job end to end on one machine, as a person would do it.

The Function App runs on the local host, an emulated Azure and a Git repository beside it. Every
command and request that is shown is really made; the demo fails when one is answered with anything
but what the story says.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from reconciler.local.repository import commit

ENVIRONMENT: Final = "dev"
DEPLOYMENT: Final = (
    "/resourceGroups/rg-ai-dev/providers/Microsoft.CognitiveServices"
    "/accounts/aoai-contoso-dev/deployments/chat"
)
PATIENCE_S: Final = 100.0
OPEN: Final = ("queued", "running", "cancelling")


class Story:
    """Tells what happens, makes it happen, and checks that it did."""

    def __init__(self, place: dict[str, Any]) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.place = place

    def say(self, text: str) -> None:
        self.console.print()
        room = max(40, self.console.width - 2)
        for line in Text.from_markup(text).wrap(self.console, room):
            self.console.print(Text("▌ ", style="bold cyan") + line)

    def differences(self, run: dict[str, Any]) -> None:
        """What a run changed, field by field."""
        for change in run["plan"]["changes"]:
            for one in change["fields"]:
                after = f"[bold]{one['after']}[/]"
                self.console.print(f"  {change['name']}  {one['path']}  {one['before']} → {after}")

    def expect(self, true: bool, otherwise: str) -> None:
        if not true:
            self.console.print(f"[red]The demo did not go as told: {otherwise}[/]")
            raise SystemExit(1)

    def run(self, *arguments: str) -> None:
        """Run ``reconciler …`` with the terminal as it is."""
        self.console.print(f"[dim]$[/] [bold]reconciler {' '.join(arguments)}[/]")
        sys.stdout.flush()
        command = [sys.executable, "-m", "reconciler", *arguments]
        environment = {**os.environ, **self.place["environment"]}
        answer = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
        self.expect(answer == 0, f"exit code {answer}")

    def ask(self, path: str, body: dict[str, str] | None = None) -> Any:
        """A request to the Function App: its JSON."""
        return request(f"{self.place['app']}/api/{path}", body, key=self.place["key"])

    def reconcile(self, mode: str) -> Any:
        """Ask for a run, follow it to its end."""
        body = {"environment": ENVIRONMENT, "mode": mode}
        shown = json.dumps(body)
        self.console.print(f"[dim]$[/] [bold]curl -d '{shown}' $APP/api/reconcile[/]")
        asked = self.ask("reconcile", body)
        self.console.print(f"[dim]202[/] run [bold]{asked['run']}[/]")
        return self.follow(asked["run"])

    def follow(self, name: str) -> Any:
        """Watch a run until it ends, as anybody can who has a key."""
        columns = (TextColumn("  {task.description}"), BarColumn(28), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as progress:
            bar = progress.add_task("queued", total=None)
            until = time.monotonic() + PATIENCE_S
            while (run := self.ask(f"runs/{name}"))["state"] in OPEN:
                self.expect(time.monotonic() < until, f"run {name} is {run['state']}")
                show(progress, bar, run)
                time.sleep(0.3)
            show(progress, bar, run)
        self.expect(run["state"] == "done", f"run {name} is {run['state']}: {run['detail']}")
        return run


def show(progress: Progress, bar: Any, run: dict[str, Any]) -> None:
    ended = [step for step in run["steps"] if step["state"] in ("done", "failed", "held")]
    if not run["steps"] and run["state"] not in OPEN:
        progress.update(bar, description="done, nothing to do", total=1, completed=1)
        return
    total = len(run["steps"]) or None
    progress.update(bar, description=run["state"], total=total, completed=len(ended))


def request(
    url: str, body: dict[str, Any] | None = None, key: str = "", method: str | None = None
) -> Any:
    """JSON to and from an address of this machine."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "x-functions-key": key}
    made = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(made, timeout=30) as answer:  # noqa: S310 - as above
        return json.loads(answer.read() or b"null")


@contextmanager
def sandbox() -> Iterator[dict[str, Any]]:
    """Everything that the story needs, in processes of its own; ends with the block."""
    command = [sys.executable, "-m", "reconciler", "sandbox", "-e", ENVIRONMENT]
    command += ["--format", "json", "--schedule", "*/10 * * * * *"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the sandbox did not start")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(timeout=30)


def main() -> None:
    """Tell the story once; then, unless ``ONCE`` is set, leave everything running."""
    with sandbox() as place:
        story = Story(place)
        tell(story)
        if not os.environ.get("ONCE"):
            stay(story)


def tell(story: Story) -> None:
    story.say(
        "An Azure and a GitHub of our own are up, emulated on this machine, and "
        "the Function App that looks after both. Apply what is declared."
    )
    run = story.reconcile("apply")
    story.say(f"{len(run['steps'])} steps later everything stands. The second plan is empty.")
    plan = story.reconcile("plan")
    story.expect(not plan["plan"]["changes"], "the second plan is not empty")
    story.run("runs", "-e", ENVIRONMENT)
    merge(story)
    heal(story)
    story.say("That is all: declared, applied, verified, kept. [dim]Specs: specs/[/]")


def merge(story: Story) -> None:
    """A change as a team makes it: in Git."""
    story.say("A team needs more of the chat model: a commit, a push. Nobody tells the app …")
    work = Path(story.place["work"])
    file = work / "specs" / "environments" / f"{ENVIRONMENT}.yaml"
    text = file.read_text()
    changed = text.replace("chatCapacity: 10", "chatCapacity: 15")
    story.expect(changed != text, "chatCapacity is not where it was")
    file.write_text(changed)
    made = commit(work, "More of the chat model")
    story.console.print("[dim]$[/] [bold]git commit -am 'More of the chat model' && git push[/]")
    story.say("… its timer sees the commit.")
    run = story.follow(wait_for(story, "sweep", made))
    story.differences(run)
    story.run("show", run["id"])


def heal(story: Story) -> None:
    """A change behind its back."""
    story.say("Somebody opens the portal and gives the deployment another capacity by hand …")
    subscription = story.place["environment"]["AZURE_SUBSCRIPTION_ID"]
    arm_id = f"/subscriptions/{subscription}{DEPLOYMENT}"
    address = f"{story.place['azure']}/_emulator/resources{arm_id}"
    request(address, {"sku": {"capacity": 3}}, method="PATCH")
    story.say("… the timer finds that too, and heals it.")
    run = story.follow(wait_for(story, "drift"))
    story.differences(run)
    story.run("show", run["id"])
    plan = story.reconcile("plan")
    story.expect(not plan["plan"]["changes"], "there is something left to do")


def wait_for(story: Story, by: str, made: str = "") -> str:
    """The run that the app starts by itself."""
    until = time.monotonic() + PATIENCE_S
    with story.console.status("waiting for the timer"):
        while time.monotonic() < until:
            for run in story.ask(f"runs?environment={ENVIRONMENT}&limit=10")["runs"]:
                if run["requestedBy"] == by and run["commit"].startswith(made):
                    return str(run["id"])
            time.sleep(0.3)
    raise SystemExit("the timer did nothing")


def stay(story: Story) -> None:
    """Keep everything up for a person to play with, until Ctrl-C."""
    place = story.place
    key = f'-H "x-functions-key: {place["key"]}"'
    story.say("Everything stays up until Ctrl-C. In another terminal:")
    for line in (
        f"curl -s {key} {place['app']}/api/environments",
        f"curl -s {key} {place['app']}/api/runs",
        f"cd {place['work']}   # edit, commit, push: it is applied",
        f"tail -f {place['log']}",
    ):
        story.console.print(f"  {line}", style="green")
    try:
        while True:
            input()
    except (KeyboardInterrupt, EOFError):
        story.console.print("Stopped; nothing is left.", style="dim")


if __name__ == "__main__":
    main()
