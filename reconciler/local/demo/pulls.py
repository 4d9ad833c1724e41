"""What people do with pull requests, and what they find on them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError

from rich.markup import escape

from reconciler.local.demo.story import Story
from reconciler.local.repository import BRANCH, CHECK, DEVELOPER, MAINTAINER, Repository, git

COLOURS: Final = {"+": "green", "-": "red"}
CONCLUSIONS: Final = {"success": "green", "neutral": "green"}


@dataclass(frozen=True)
class Pulls:
    """The developer's and the maintainer's side of the repository."""

    story: Story
    repository: Repository

    @classmethod
    def of(cls, story: Story) -> "Pulls":
        place = story.place
        return cls(story, Repository(place.github, place.api, place.repository, place.tokens))

    # Doing

    def push(self, branch: str, title: str, *changes: tuple[str, str, str]) -> str:
        """Replace texts (path, old, new) on a branch, show that, push it: the new commit."""
        work = Path(self.story.place.work)
        git(work, "fetch", "--quiet", "origin")
        known = git(work, "branch", "--remotes", "--list", f"origin/{branch}").strip()
        git(work, "checkout", "--quiet", "-B", branch, f"origin/{branch if known else BRANCH}")
        for path, old, new in changes:
            text = (work / path).read_text()
            self.story.expect(text.count(old) == 1, f"{old!r} is not once in {path}")
            (work / path).write_text(text.replace(old, new))
            self._difference(path, text, text.replace(old, new))
        git(work, "commit", "--all", "--quiet", "--message", title)
        git(work, "push", "--quiet", "origin", branch)
        self.story.did(f'git commit -am "{title}" && git push origin {branch}')
        return git(work, "rev-parse", "HEAD").strip()

    def _difference(self, path: str, old: str, new: str) -> None:
        self.story.line(f"[dim]{path}[/]", 2)
        lines = unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
        for line in list(lines)[2:]:
            if line[:1] in COLOURS:
                self.story.line(f"[{COLOURS[line[0]]}]{escape(line)}[/]", 2)

    def open(self, branch: str, title: str) -> int:
        asked = {"title": title, "head": branch, "base": BRANCH}
        number = int(self.repository.api_of(DEVELOPER, "/pulls", asked)["number"])
        self.story.line(f"pull request [bold]#{number}[/] {self.page(number)}")
        return number

    def merge(self, number: int) -> str:
        """Press the button: the commit that it makes."""
        sha, why = self._merge(number)
        self.story.expect(sha, f"merging was refused: {why}")
        return sha

    def refused_merge(self, number: int) -> str:
        """Press the button in vain: why."""
        sha, why = self._merge(number)
        self.story.expect(why, f"it was merged: {sha}")
        return why

    def _merge(self, number: int) -> tuple[str, str]:
        path = f"/pulls/{number}/merge"
        self.story.did(f"curl -X PUT $API/repos/{self.repository.name}{path}")
        try:
            return str(self.repository.api_of(MAINTAINER, path, {}, "PUT")["sha"]), ""
        except HTTPError as error:
            return "", str(json.loads(error.read())["message"])

    # Finding

    def page(self, number: int) -> str:
        return f"{self.repository.page}/pull/{number}"

    def checks(self, commit: str) -> list[dict[str, Any]]:
        """What is said of a commit, once all of it is said: the check that merges wait for."""

        def ended() -> list[dict[str, Any]] | None:
            found = self._get(f"/commits/{commit}/check-runs")["check_runs"]
            done = all(one["status"] == "completed" for one in found)
            return found if done and any(one["name"] == CHECK for one in found) else None

        return sorted(self.story.wait("planning", ended), key=lambda one: str(one["name"]))

    def show_checks(self, found: list[dict[str, Any]]) -> None:
        """Each with the lines that it remarks on."""
        for one in found:
            colour = CONCLUSIONS.get(one["conclusion"], "red")
            title = escape(one["output"]["title"] or "")
            state = f"[{colour}]{one['conclusion']}[/]"
            self.story.line(f"{state} [bold]{one['name']}[/] {title}", 2)
            for note in self.annotations(one):
                self.story.line(f"[bold]{note['path']}:{note['start_line']}[/]", 6)
                self.story.line(escape(note["message"]), 6)

    def annotations(self, check: Mapping[str, Any]) -> list[dict[str, Any]]:
        return list(self._get(f"/check-runs/{check['id']}/annotations"))

    def lines(self, path: str) -> list[str]:
        """Of a file, as it was pushed last."""
        return (Path(self.story.place.work) / path).read_text().splitlines()

    def comment(self, number: int, marker: str) -> str:
        """Ours with a marker, as it reads now; "" when there is none."""
        found = self._get(f"/issues/{number}/comments?per_page=100")
        return _marked(found, marker)

    def issue(self, marker: str, state: str) -> dict[str, Any] | None:
        """Ours with a marker that is open or closed."""
        found = self._get(f"/issues?state={state}")
        return next((one for one in found if _marked([one], marker)), None)

    def _get(self, path: str) -> Any:
        try:
            return self.repository.api_of(MAINTAINER, path)
        except OSError as error:
            self.story.fail(f"{path}: {error}")


def _marked(items: list[dict[str, Any]], marker: str) -> str:
    begin = f"<!-- reconciler:{marker} -->"
    return next((one["body"] for one in items if (one["body"] or "").startswith(begin)), "")
