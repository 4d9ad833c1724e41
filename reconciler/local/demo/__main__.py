"""``python -m reconciler.local.demo``: the story once; then, unless ``ONCE`` is set, everything
stays up."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.local.demo.scenes import tell
from reconciler.local.demo.story import ENVIRONMENT, Story
from reconciler.local.guide import places, steps
from reconciler.local.sandbox import Sandbox


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """Everything that the story needs, in processes of its own; ends with the block."""
    command = [sys.executable, "-m", "reconciler", "sandbox", "-e", ENVIRONMENT]
    command += ["--format", "json", "--schedule", "*/5 * * * * *"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the sandbox did not start")
            yield Sandbox(**json.loads(line))
        finally:
            process.terminate()
            process.wait(timeout=30)


def main() -> None:
    """Exit code 1 when something is otherwise than told, 130 when Ctrl-C ends the story early."""
    told = False
    try:
        with sandbox() as place:
            story = Story(place)
            tell(story)
            told = True
            story.say(
                "Proposed, planned, merged, applied, verified, kept: that is all. docs/github.md "
                "says how to connect a repository of your own."
            )
            if not os.environ.get("ONCE"):
                stay(story)
    except (KeyboardInterrupt, EOFError):
        print("Stopped; nothing is left.")  # noqa: T201 - a program
        if not told:
            raise SystemExit(130) from None


def stay(story: Story) -> None:
    """Keep everything up until Ctrl-C, or the end of what is typed."""
    place = story.place
    story.say(f"Everything stays up until Ctrl-C. Look at {place.github}/{place.repository}")
    story.console.print(f"\n{places(place)}\n\n{steps(place)}", markup=False)
    while True:
        input()


if __name__ == "__main__":
    main()
