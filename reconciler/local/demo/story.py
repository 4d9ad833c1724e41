"""Tells what happens, waits for it, and checks that it did."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.error import HTTPError, URLError

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from reconciler.local.asking import ask
from reconciler.local.demo.terminal import THEME, shown
from reconciler.local.sandbox import Sandbox

ENVIRONMENT: Final = "dev"
PATIENCE_S: Final = 90.0
PAUSE_S: Final = 0.2
OPEN: Final = ("queued", "running", "cancelling")
ENDED: Final = ("done", "failed", "held")
LOG_LINES: Final = 20


class Story:
    """The terminal, and the Function App behind it."""

    def __init__(self, place: Sandbox, console: Console | None = None) -> None:
        self.place = place
        self.console = console or Console(highlight=False, soft_wrap=True, theme=THEME)

    # Telling

    def say(self, text: str) -> None:
        """A paragraph of the story; rich's markup."""
        self.console.print()
        room = max(40, self.console.width - 2)
        for line in Text.from_markup(text).wrap(self.console, room):
            line.rstrip()
            self.console.print(Text("▌ ", style="bold cyan") + line)

    def show(self, text: str, title: str) -> None:
        """What stands on the forge."""
        self.console.print(shown(text, title), soft_wrap=False)

    def did(self, command: str) -> None:
        """What a person types."""
        self.line(f"[dim]$[/] [bold]{escape(command)}[/]")

    def line(self, text: str, indent: int = 0) -> None:
        """A line of rich's markup, wrapped under itself."""
        room = max(20, self.console.width - indent - 2)
        first, *rest = Text.from_markup(text).wrap(self.console, room)
        for number, one in enumerate([first, *rest]):
            one.rstrip()
            self.console.print(Text(" " * (indent + 2 * (number > 0))) + one)

    # Expecting

    def expect(self, true: object, otherwise: str) -> None:
        """The demo fails, and says what was seen, unless it is true."""
        if not true:
            self.fail(otherwise)

    def fail(self, seen: str) -> NoReturn:
        self.console.print(f"\n[red]The demo did not go as told:[/] {escape(seen)}")
        lines = Path(self.place.log).read_text(errors="replace").splitlines()[-LOG_LINES:]
        self.console.print("[dim]The app said last:[/]\n" + escape("\n".join(lines)))
        raise SystemExit(1)

    def wait[T](
        self, what: str, look: Callable[[], T | None], seen: Callable[[], object] = lambda: ""
    ) -> T:
        """What ``look`` gives once it gives something; ``seen`` tells what there is instead."""
        until = time.monotonic() + PATIENCE_S
        with self.console.status(what):
            while not (found := look()):
                if time.monotonic() > until:
                    self.fail(f"{what} for {PATIENCE_S:.0f} s, in vain. {seen()}")
                time.sleep(PAUSE_S)
        return found

    # The app

    def ask(self, path: str, body: Any = None) -> Any:
        """A request to the Function App: its JSON."""
        headers = {"x-functions-key": self.place.key}
        try:
            return ask(f"{self.place.app}/api/{path}", body, headers=headers)
        except (HTTPError, URLError) as error:
            self.fail(f"{path}: {error}")

    def reconcile(self, mode: str) -> Any:
        """Ask for a run, follow it to its end."""
        body = {"environment": ENVIRONMENT, "mode": mode}
        self.did(f"curl -d '{json.dumps(body)}' $APP/api/reconcile")
        return self.follow(self.ask("reconcile", body)["run"])

    def newest(self, *by: str, commit: str = "") -> str | None:
        """The newest apply of a commit that one of these asked for."""
        for run in self.ask(f"runs?environment={ENVIRONMENT}&limit=10")["runs"]:
            asked = run["mode"] == "apply" and run["requestedBy"] in by
            if asked and run["commit"].startswith(commit):
                return str(run["id"])
        return None

    def follow(self, name: str, tick: Callable[[], None] = lambda: None) -> Any:
        """Watch a run until it is done, as anybody can who has a key."""
        columns = (TextColumn("  {task.description}"), BarColumn(28), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as progress:
            bar = progress.add_task("queued", total=None)
            until = time.monotonic() + PATIENCE_S
            while (run := self.ask(f"runs/{name}"))["state"] in OPEN:
                self.expect(time.monotonic() < until, f"run {name} is {run['state']}")
                _show(progress, bar, run)
                tick()
                time.sleep(PAUSE_S)
            _show(progress, bar, run)
        self.expect(run["state"] == "done", f"run {name} is {run['state']}: {run['detail']}")
        return run


def _show(progress: Progress, bar: Any, run: dict[str, Any]) -> None:
    ended = [step for step in run["steps"] if step["state"] in ENDED]
    if not run["steps"] and run["state"] not in OPEN:
        progress.update(bar, description="done, nothing to do", total=1, completed=1)
        return
    total = len(run["steps"]) or None
    progress.update(bar, description=run["state"], total=total, completed=len(ended))
