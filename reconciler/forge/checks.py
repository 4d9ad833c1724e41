"""How a commit stands: check runs as a GitHub App, commit statuses with a token.

https://docs.github.com/en/rest/checks/runs, https://docs.github.com/en/rest/commits/statuses
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import batched
from typing import Any, Final

from reconciler.core.forge import Annotation, Mark, MarkState
from reconciler.forge.client import Client, Params
from reconciler.forge.keep import Turns

BATCH: Final = 50
"""Annotations that GitHub takes in one request."""
MOST_ANNOTATIONS: Final = 500
"""Shown in all, the gravest first; what is left out is counted in the summary."""
SUMMARY_LIMIT: Final = 65_535
MESSAGE_LIMIT: Final = 16_000
"""In characters: GitHub takes 64 KB."""
TITLE_LIMIT: Final = 255
DESCRIPTION_LIMIT: Final = 140
CONCLUSIONS: Final[Mapping[MarkState, str]] = {
    "success": "success",
    "neutral": "neutral",
    "failure": "failure",
    "blocked": "action_required",
}
STATUSES: Final[Mapping[MarkState, str]] = {
    "pending": "pending",
    "success": "success",
    "neutral": "success",
    "failure": "failure",
    "blocked": "failure",
}
LEVELS: Final = {"error": "failure", "warning": "warning", "note": "notice"}
GRAVITY: Final = tuple(LEVELS)

type Json = Mapping[str, Any]


class Statuses:
    """Marks as commit statuses: a state and 140 characters."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._turns = Turns()

    async def mark(self, commit: str, mark: Mark) -> None:
        """Nothing is sent when the newest status says so already: GitHub keeps at most 1,000 for
        a commit and a name."""
        wanted = {
            "context": mark.name,
            "state": STATUSES[mark.state],
            "description": shortened(mark.title, DESCRIPTION_LIMIT),
            **({"target_url": mark.url} if mark.url else {}),
        }
        async with self._turns.of((commit, mark.name)):
            path = f"{self._client.repository}/commits/{commit}/statuses"
            newest = await self._newest(path, mark.name)
            if newest and all(newest.get(name) == value for name, value in wanted.items()):
                return
            path = f"{self._client.repository}/statuses/{commit}"
            await self._client.send("POST", path, wanted, repeatable=True)

    async def _newest(self, path: str, name: str) -> Json | None:
        """Statuses are listed newest first."""
        async for page in self._client.pages(path):
            for one in page:
                if one["context"] == name:
                    return dict(one)
        return None


class CheckRuns:
    """Marks as check runs, with annotations on the lines of files.

    A run that is completed stays as it is and a new one takes its place, because annotations can
    only be added. Its ``external_id`` says what it shows, so that nothing is shown twice.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client, self._app_id = client, app_id
        self._turns = Turns()

    async def mark(self, commit: str, mark: Mark) -> None:
        """Annotations go out in batches, and the conclusion with the last of them."""
        async with self._turns.of((commit, mark.name)):
            newest = await self._newest(commit, mark.name)
            requests = list(_requests(mark))
            if newest and _says(newest, requests[-1]):
                return
            run = newest["id"] if newest and _is_fresh(newest) else None
            for request in requests[:-1]:
                run = await self._send(run, commit, request)
            await self._send(run, commit, requests[-1])

    async def _newest(self, commit: str, name: str) -> Json | None:
        path = f"{self._client.repository}/commits/{commit}/check-runs"
        asked: Params = {"check_name": name, "filter": "latest", "app_id": int(self._app_id)}
        found = (await self._client.get(path, asked))["check_runs"]
        return max(found, key=lambda one: int(one["id"]), default=None)

    async def _send(self, run: int | None, commit: str, request: Json) -> int:
        path = f"{self._client.repository}/check-runs"
        if run is None:
            made = await self._client.send("POST", path, {**request, "head_sha": commit})
            return int(made["id"])
        # Without annotations an update can be repeated; with them they would show twice.
        plain = "annotations" not in request["output"]
        await self._client.send("PATCH", f"{path}/{run}", request, repeatable=plain)
        return run


def _is_fresh(run: Json) -> bool:
    annotated = (run.get("output") or {}).get("annotations_count", 0)
    return run["status"] != "completed" and not annotated


def _says(run: Json, request: Json) -> bool:
    """Whether it shows that already; one that was asked for again is not completed any more."""
    return all(run.get(name) == request[name] for name in ("external_id", "status"))


def _told(mark: Mark) -> str:
    """A name for exactly what a mark says."""
    parts = [mark.state, mark.title, mark.summary, mark.url]
    remarks = [[one.path, one.line, one.level, one.message, one.title] for one in mark.annotations]
    return sha256(json.dumps([parts, remarks]).encode()).hexdigest()[:40]


def _requests(mark: Mark) -> Iterator[Json]:
    """The bodies to send, one after the other; the last one says everything but what the earlier
    ones have added."""
    remarks = sorted(mark.annotations, key=lambda one: GRAVITY.index(one.level))
    shown, left_out = remarks[:MOST_ANNOTATIONS], remarks[MOST_ANNOTATIONS:]
    output = {"title": shortened(mark.title, TITLE_LIMIT), "summary": _summary(mark, len(left_out))}
    batches = list(batched([_annotation(one) for one in shown], BATCH, strict=False)) or [()]
    for at, batch in enumerate(batches, 1):
        last = at == len(batches)
        yield {
            "name": mark.name,
            **({"details_url": mark.url} if mark.url else {}),
            **(_state(mark) if last else {"status": "in_progress"}),
            "output": {**output, **({"annotations": list(batch)} if batch else {})},
        }


def _state(mark: Mark) -> Json:
    if mark.state == "pending":
        return {"status": "in_progress", "external_id": _told(mark)}
    conclusion = CONCLUSIONS[mark.state]
    return {"status": "completed", "conclusion": conclusion, "external_id": _told(mark)}


def _summary(mark: Mark, left_out: int) -> str:
    more = f"\n\n{left_out} more remarks have no room here." if left_out else ""
    if len(mark.summary) + len(more) > SUMMARY_LIMIT:
        raise ValueError(f"{len(mark.summary)} characters are too many for a summary")
    return (mark.summary or mark.title) + more


def _annotation(one: Annotation) -> Json:
    line = max(1, one.line)
    found = {
        "path": one.path,
        "start_line": line,
        "end_line": line,
        "annotation_level": LEVELS[one.level],
        "message": shortened(one.message, MESSAGE_LIMIT) or "(nothing said)",
    }
    if one.title:
        found["title"] = shortened(one.title, TITLE_LIMIT)
    if one.column and one.line:
        found |= {"start_column": one.column, "end_column": one.column}
    return found


def shortened(text: str, most: int) -> str:
    """Plain text within a limit; that something was left out shows."""
    return text if len(text) <= most else text[: most - 1] + "…"
