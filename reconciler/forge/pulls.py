"""Reading pull requests: https://docs.github.com/en/rest/pulls/pulls"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.core.errors import Permanent
from reconciler.core.forge import Pull, PullState, Reviews
from reconciler.forge.client import Client
from reconciler.ports import Clock

PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0)
"""Until GitHub has worked out whether a pull request merges, which it begins when it is asked:
https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-your-git-database#checking-mergeability-of-pull-requests"""
MOST_FILES: Final = 3000
"""GitHub lists no more: https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files"""
MOST_MERGES: Final = 100
"""On the branch itself, between two commits, that are looked up; the newest."""
AT_ONCE: Final = 8
RULES: Final = {
    "clean": True,
    "has_hooks": True,
    "unstable": True,  # a check failed that no rule requires
    "blocked": False,
    "behind": False,
    "dirty": False,
    "draft": False,
}
"""https://docs.github.com/en/graphql/reference/enums#mergestatestatus"""

type Json = Mapping[str, Any]


class Pulls:
    """The pull requests into one branch."""

    def __init__(self, client: Client, branch: str, clock: Clock) -> None:
        self._client, self._branch, self._clock = client, branch, clock

    async def one(self, number: int) -> Pull:
        """A pull request, with what is known by the end of our patience about merging it."""
        found = await self._get(f"/pulls/{number}")
        for pause in PAUSES_S:
            if found["state"] != "open" or found.get("mergeable") is not None:
                break
            await self._clock.sleep(pause)
            found = await self._get(f"/pulls/{number}")
        return read_pull(found)

    async def open(self) -> list[Pull]:
        """Oldest first."""
        asked = {"state": "open", "base": self._branch, "sort": "created", "direction": "asc"}
        found = await self._client.listed(f"{self._client.repository}/pulls", asked)
        return [read_pull(one) for one in found]

    async def merged_between(self, old: str, new: str) -> list[Pull]:
        """Those that brought the commits of the branch itself, newest first."""
        commits = await self._own_commits(old, new)
        gate = asyncio.Semaphore(AT_ONCE)

        async def of(commit: str) -> list[Json]:
            async with gate:
                path = f"{self._client.repository}/commits/{commit}/pulls"
                return await self._client.listed(path)

        found = [pull for one in await asyncio.gather(*map(of, commits)) for pull in one]
        merged = [one for one in found if one.get("merged_at") and self._ours(one)]
        return list({one["number"]: read_pull(one) for one in merged}.values())

    def _ours(self, pull: Json) -> bool:
        base = pull["base"]
        name = f"/repos/{(base.get('repo') or {}).get('full_name', '')}"
        return base["ref"] == self._branch and name.lower() == self._client.repository.lower()

    async def _own_commits(self, old: str, new: str) -> list[str]:
        """From ``new`` back to ``old`` along first parents; what merges brought along is not ours
        to look up."""
        if not old or old == new:
            return [new] if not old else []
        path = f"{self._client.repository}/compare/{old}...{new}"
        try:
            pages = [page async for page in self._client.pages(path)]
        except Permanent as error:
            if error.status != 404:
                raise
            return [new]
        return first_parents(new, (one for page in pages for one in page["commits"]))[:MOST_MERGES]

    async def files(self, number: int) -> frozenset[str] | None:
        """Paths, old names included; None when there are more than GitHub lists."""
        path = f"{self._client.repository}/pulls/{number}/files"
        found = await self._client.listed(path)
        if len(found) >= MOST_FILES:
            return None
        names = [(one["filename"], one.get("previous_filename")) for one in found]
        return frozenset(name for pair in names for name in pair if name)

    async def reviews(self, number: int, head: str) -> Reviews:
        """What everybody last said of it; approvals of older commits do not count."""
        path = f"{self._client.repository}/pulls/{number}/reviews"
        last: dict[str, Json] = {}
        for one in await self._client.listed(path):
            if one.get("user") and one["state"] in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
                last[one["user"]["login"]] = one
        approved = {
            user
            for user, one in last.items()
            if one["state"] == "APPROVED" and one.get("commit_id") == head
        }
        against = {user for user, one in last.items() if one["state"] == "CHANGES_REQUESTED"}
        return Reviews(frozenset(approved), frozenset(against))

    async def _get(self, path: str) -> Json:
        found: Json = await self._client.get(self._client.repository + path)
        return found


def first_parents(new: str, commits: Iterable[Json]) -> list[str]:
    """The chain of first parents from ``new`` within ``commits``."""
    parents = {one["sha"]: [parent["sha"] for parent in one["parents"]] for one in commits}
    chain: list[str] = []
    while new in parents:
        chain.append(new)
        new = next(iter(parents.pop(new)), "")
    return chain


def read_pull(found: Json) -> Pull:
    """A pull request, from an answer about it alone or from a listing, which says less."""
    head, base = found["head"], found["base"]
    state: PullState = "merged" if found.get("merged_at") else found["state"]
    merges = found.get("mergeable") if state == "open" else None
    return Pull(
        number=found["number"],
        title=found["title"],
        author=(found.get("user") or {}).get("login", "ghost"),
        head=head["sha"],
        branch=head["ref"],
        base=base["ref"],
        state=state,
        draft=bool(found.get("draft")),
        fork=(head.get("repo") or {}).get("id") != (base.get("repo") or {}).get("id", 0),
        url=found["html_url"],
        merges=merges,
        # Until it is known again, GitHub tells the commit of an earlier attempt.
        merge_commit=(found.get("merge_commit_sha") or "") if merges or state == "merged" else "",
        allowed=RULES.get(found.get("mergeable_state", "")),
    )
