"""Reading pull requests: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import Any, Final
from urllib.parse import quote

from reconciler.core.errors import Permanent
from reconciler.core.forge import Pull, PullState
from reconciler.forge.azure_devops.client import Client
from reconciler.forge.azure_devops.people import name_of
from reconciler.forge.azure_devops.policies import Policies
from reconciler.forge.azure_devops.settings import AzureDevOpsSettings
from reconciler.ports import Clock

PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0)
"""Until Azure Repos has worked out whether a pull request merges."""
MOST_FILES: Final = 10_000
FILES_AT_ONCE: Final = 2_000
MOST_COMMITS: Final = 500
"""Between two commits of the branch, that are looked up; the newest."""
COMMITS_AT_ONCE: Final = 100
STATES: Final[Mapping[str, PullState]] = {
    "active": "open",
    "completed": "merged",
    "abandoned": "closed",
}
MERGES: Final = {
    "succeeded": True,
    "conflicts": False,
    "failure": False,
    "rejectedByPolicy": False,
}
"""Others: not worked out yet.
https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-request#pullrequestasyncstatus"""

type Json = Mapping[str, Any]


class Pulls:
    """The pull requests into one branch."""

    def __init__(
        self, client: Client, settings: AzureDevOpsSettings, policies: Policies, clock: Clock
    ) -> None:
        self._client, self._policies, self._clock = client, policies, clock
        self._ref, self._site = settings.ref, site(settings)

    async def one(self, number: int) -> Pull:
        """A pull request, with what is known by the end of our patience about merging it."""
        found = await self.raw(number)
        for pause in PAUSES_S:
            if found["status"] != "active" or found.get("mergeStatus") in MERGES:
                break
            await self._clock.sleep(pause)
            found = await self.raw(number)
        pull = self._read(found)
        if pull.state != "open":
            return pull
        if pull.draft or pull.merges is False:
            return replace(pull, allowed=False)
        return replace(pull, allowed=await self._policies.allow(number))

    async def raw(self, number: int) -> Json:
        """A pull request as Azure Repos tells it."""
        found: Json = await self._client.get(f"{self._client.repository}/pullRequests/{number}")
        return found

    async def open(self) -> list[Pull]:
        """Oldest first; nothing is said of whether they merge."""
        found = await self._client.listed(f"{self._client.repository}/pullrequests", self._asked())
        pulls = [replace(self._read(one), merges=None, merge_commit="") for one in found]
        return sorted(pulls, key=lambda one: one.number)

    async def closed_since(self, moment: datetime, most: int) -> list[int]:
        """The numbers of those that were completed since then, the newest first."""
        asked = {
            **self._asked("completed"),
            "searchCriteria.queryTimeRangeType": "closed",
            "searchCriteria.minTime": moment.isoformat(),
        }
        found = await self._client.listed(f"{self._client.repository}/pullrequests", asked, most)
        return [one["pullRequestId"] for one in found]

    def _asked(self, state: str = "active") -> dict[str, str]:
        return {"searchCriteria.status": state, "searchCriteria.targetRefName": self._ref}

    async def merged_between(self, old: str, new: str) -> list[Pull]:
        """Those whose merges made commits that are in ``new`` and not in ``old``, newest first.

        https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-query/get
        """
        commits = await self._commits(old, new)
        found: dict[int, Pull] = {}
        url = f"{self._client.repository}/pullrequestquery"
        for some in batched(commits, COMMITS_AT_ONCE, strict=False):
            question = {"queries": [{"type": "lastMergeCommit", "items": list(some)}]}
            answers = (await self._client.ask(url, question)).get("results") or []
            by_commit = {key: pulls for one in answers for key, pulls in one.items()}
            for commit in some:
                for one in by_commit.get(commit) or []:
                    if one["status"] == "completed" and one["targetRefName"] == self._ref:
                        found[one["pullRequestId"]] = self._read(one)
        return list(found.values())

    async def _commits(self, old: str, new: str) -> list[str]:
        """What ``new`` has and ``old`` has not, the newest first."""
        if not old or old == new:
            return [] if old else [new]
        common, ahead = await self._apart(old, new)
        if not common:
            return [new]
        if not ahead:
            return []
        # Whether the two could be given at once, and which way round, no document says plainly.
        asked = {
            "searchCriteria.itemVersion.version": new,
            "searchCriteria.itemVersion.versionType": "commit",
        }
        found = await self._client.listed(
            f"{self._client.repository}/commits", asked, min(ahead, MOST_COMMITS)
        )
        commits = [one["commitId"] for one in found]
        return commits[: commits.index(common)] if common in commits else commits

    async def _apart(self, old: str, new: str) -> tuple[str, int]:
        """Where two commits meet, and how many ``new`` has beyond ``old``; "": one is gone.

        https://learn.microsoft.com/rest/api/azure/devops/git/diffs/get
        """
        asked: dict[str, str | int] = {
            "baseVersion": old,
            "baseVersionType": "commit",
            "targetVersion": new,
            "targetVersionType": "commit",
            "$top": 1,
        }
        try:
            found = await self._client.get(f"{self._client.repository}/diffs/commits", asked)
        except Permanent as error:
            if error.status not in (400, 404):
                raise
            return "", 0
        return found.get("commonCommit") or "", int(found.get("aheadCount") or 0)

    async def files(self, number: int) -> frozenset[str] | None:
        """Paths, old names included; None when there are too many.

        https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-iteration-changes/get
        """
        url = f"{self._client.repository}/pullRequests/{number}/iterations"
        iterations = [one["id"] for one in (await self._client.get(url))["value"]]
        if not iterations:
            return frozenset()
        names: set[str] = set()
        skip, top = 0, FILES_AT_ONCE
        while top:
            asked = {"$top": top, "$skip": skip, "$compareTo": 0}
            page = await self._client.get(f"{url}/{max(iterations)}/changes", asked)
            for one in page.get("changeEntries") or []:
                names.update(_paths(one))
            if len(names) > MOST_FILES:
                return None
            following = page.get("nextSkip") or 0
            top = (page.get("nextTop") or 0) if following > skip else 0
            skip = following
        return frozenset(names)

    def _read(self, found: Json) -> Pull:
        return read_pull(found, self._site)


def site(settings: AzureDevOpsSettings) -> str:
    """Where people find the repository."""
    names = (quote(one, safe="") for one in (settings.project, settings.repository))
    return f"{settings.organization_url}/{'/_git/'.join(names)}"


def _paths(change: Json) -> set[str]:
    """A changed file's name and its former one."""
    item = change.get("item") or {}
    names = (item.get("path"), change.get("originalPath"), change.get("sourceServerItem"))
    return {name.removeprefix("/") for name in names if name}


def read_pull(found: Json, place: str) -> Pull:
    """A pull request, from an answer about it alone or from a listing."""
    number, state = found["pullRequestId"], STATES[found["status"]]
    merges = MERGES.get(found.get("mergeStatus", "")) if state == "open" else None
    merge = (found.get("lastMergeCommit") or {}).get("commitId", "")
    return Pull(
        number=number,
        title=found.get("title", ""),
        author=name_of(found.get("createdBy")),
        head=(found.get("lastMergeSourceCommit") or {}).get("commitId", ""),
        branch=found["sourceRefName"].removeprefix("refs/heads/"),
        base=found["targetRefName"].removeprefix("refs/heads/"),
        state=state,
        draft=bool(found.get("isDraft")),
        fork=bool(found.get("forkSource")),
        url=f"{place}/pullrequest/{number}",
        merges=merges,
        merge_commit=merge if merges or state == "merged" else "",
    )
