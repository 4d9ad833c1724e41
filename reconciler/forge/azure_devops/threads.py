"""Comments: each of ours in a thread of its own, found again by a property of the thread.

https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads
Azure Repos has no "create unless it exists". So whoever has created a thread looks again; when two
did, both keep the older one, and each removes its own younger one.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.core.commands import commands
from reconciler.core.errors import Permanent
from reconciler.core.forge import Comment, Reaction
from reconciler.forge.azure_devops.client import Client
from reconciler.forge.azure_devops.numbers import comment_number, comment_place
from reconciler.forge.azure_devops.people import People, name_of, value_of
from reconciler.forge.azure_devops.pulls import Pulls
from reconciler.forge.azure_devops.reviews import moment
from reconciler.forge.keep import MARKER, Turns, same

TEXT_LIMIT: Final = 150_000
"""Its message says so ("A discussion comment cannot be longer than 150000 characters"), the
documentation does not: https://github.com/runatlantis/atlantis/pull/1585"""
PROPERTY: Final = "Reconciler.Marker"
LIKED: Final[frozenset[Reaction]] = frozenset({"seen", "done"})
"""Azure Repos has one sign, a like; to like what was refused would say the opposite."""
MOST_CLOSED: Final = 50
LOOKED_BACK: Final = timedelta(days=7)
"""Completed pull requests are asked for commands for so long, 50 of them at most."""
AT_ONCE: Final = 8

type Json = Mapping[str, Any]


class Threads:
    """The comments on pull requests."""

    def __init__(self, client: Client, people: People, pulls: Pulls, status: str) -> None:
        self._client, self._people, self._pulls, self._status = client, people, pulls, status
        self._turns = Turns()

    async def say(self, pull: int, marker: str, text: str) -> None:
        """Keep the marker's comment up to date."""
        if not MARKER.fullmatch(marker):
            raise ValueError("a marker is made of letters, digits and hyphens")
        if len(text) > TEXT_LIMIT:
            raise ValueError(f"{len(text)} characters are too many: it can be {TEXT_LIMIT}")
        async with self._turns.of((pull, marker)):
            mine = await self._mine(pull, marker)
            if not mine:
                thread = {
                    "comments": [{"parentCommentId": 0, "content": text, "commentType": "text"}],
                    "status": self._status,
                    "properties": {PROPERTY: marker},
                }
                await self._client.call("POST", self._url(pull), body=thread)
                mine = await self._mine(pull, marker)
            await self._settle(pull, mine, text)

    async def _mine(self, pull: int, marker: str) -> list[Json]:
        """Our threads with that marker, the oldest first."""
        me = await self._people.me()
        found = await self._threads(pull)
        return sorted(
            (one for one in found if _is_marked(one, marker, me.id)), key=lambda one: int(one["id"])
        )

    async def _threads(self, pull: int) -> list[Json]:
        return list((await self._client.get(self._url(pull)))["value"])

    async def _settle(self, pull: int, mine: list[Json], text: str) -> None:
        if mine and not same(_first(mine[0]).get("content"), text):
            url, body = self._comment_url(pull, mine[0]), {"content": text}
            await self._client.call("PATCH", url, body=body, repeatable=True)
        for younger in mine[1:]:
            await self._remove(self._comment_url(pull, younger))

    async def _remove(self, url: str) -> None:
        try:
            await self._client.call("DELETE", url, repeatable=True)
        except Permanent as error:
            if error.status != 404:  # the other one was faster
                raise

    def _url(self, pull: int) -> str:
        return f"{self._client.repository}/pullRequests/{pull}/threads"

    def _comment_url(self, pull: int, thread: Json) -> str:
        return f"{self._url(pull)}/{thread['id']}/comments/{_first(thread)['id']}"

    async def one(self, number: int) -> Comment | None:
        """A comment as it reads now; None when it is gone."""
        place = comment_place(number)
        if place is None:
            return None
        pull, thread, comment = place
        try:
            url = f"{self._url(pull)}/{thread}/comments/{comment}"
            found = await self._client.get(url)
        except Permanent as error:
            if error.status != 404:
                raise
            return None
        return _read(found, pull, thread)

    async def since(self, past: datetime) -> list[Comment]:
        """The comments with commands since then, oldest first: of open pull requests, and of those
        that were completed lately."""
        numbers = [one.number for one in await self._pulls.open()]
        numbers += await self._pulls.closed_since(past - LOOKED_BACK, MOST_CLOSED)
        gate = asyncio.Semaphore(AT_ONCE)

        async def of(pull: int) -> list[tuple[datetime, Comment]]:
            async with gate:
                return list(_asked(await self._threads(pull), pull, past))

        found = [one for some in await asyncio.gather(*map(of, numbers)) for one in some]
        return [comment for _, comment in sorted(found, key=lambda one: (one[0], one[1].id))]

    async def react(self, number: int, reaction: Reaction) -> None:
        """A like, where that is what is meant; liking twice is the same as once.

        https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-comment-likes
        """
        place = comment_place(number)
        if place is None or reaction not in LIKED:
            return
        pull, thread, comment = place
        url = f"{self._url(pull)}/{thread}/comments/{comment}/likes"
        await self._client.call("POST", url, repeatable=True)


def _first(thread: Json) -> Json:
    return next(iter(thread.get("comments") or []), {})


def _is_marked(thread: Json, marker: str, me: str) -> bool:
    first = _first(thread)
    author = str((first.get("author") or {}).get("id", "")).lower()
    gone = thread.get("isDeleted") or first.get("isDeleted") or not first
    return author == me and not gone and value_of(thread.get("properties"), PROPERTY) == marker


def _read(found: Json, pull: int, thread: int) -> Comment | None:
    if found.get("isDeleted") or found.get("commentType", "text") == "system":
        return None
    number = comment_number(pull, thread, int(found["id"]))
    author, text = name_of(found.get("author")), found.get("content") or ""
    return Comment(number, pull, author, text, found.get("publishedDate") or "")


def _asked(
    threads: Iterable[Json], pull: int, past: datetime
) -> Iterable[tuple[datetime, Comment]]:
    for thread in threads:
        for one in thread.get("comments") or []:
            when = moment(one.get("publishedDate"))
            comment = _read(one, pull, int(thread["id"])) if when and when >= past else None
            if when and comment and commands(comment.text):
                yield when, comment
