"""The rules of the branch, as far as they hold up a pull request or take votes away.

https://learn.microsoft.com/azure/devops/repos/git/branch-policies
"""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.core.errors import Permanent
from reconciler.forge.azure_devops.client import PREVIEW, Client
from reconciler.forge.azure_devops.people import People
from reconciler.forge.azure_devops.statuses import GENRE

REVIEWERS: Final = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
STATUS: Final = "cbdc66da-9728-4af8-aada-9a5a32e4a226"
"""The types of the policies for a number of reviewers and for a status:
https://learn.microsoft.com/rest/api/azure/devops/policy/types/list"""
FULFILLED: Final = frozenset({"approved", "notapplicable"})

type Json = Mapping[str, Any]


class Policies:
    """Reads policies; what may not be read is not known."""

    def __init__(self, client: Client, people: People, ref: str) -> None:
        self._client, self._people, self._ref = client, people, ref

    async def allow(self, pull: int) -> bool | None:
        """Whether every policy that blocks is fulfilled. One that waits for the reconciler's own
        word is left out: that word must not be what it waits for.

        https://learn.microsoft.com/rest/api/azure/devops/policy/evaluations/list
        """
        try:
            project, _ = await self._people.ids()
            asked = {"artifactId": f"vstfs:///CodeReview/CodeReviewId/{project}/{pull}"}
            url = f"{self._client.project}/policy/evaluations"
            found = await self._client.listed(url, asked, version=PREVIEW)
        except Permanent as error:
            if error.status in (401, 403, 404):
                return None
            raise
        return all(_is_fulfilled(one) for one in found)

    async def take_votes(self) -> bool:
        """Whether a push to the source branch takes approvals away."""
        found = await self._in_force(REVIEWERS)
        return any(one.get("resetOnSourcePush") is True for one in found or [])

    async def require(self, name: str) -> bool | None:
        """Whether nothing is merged without our status of that name; None when the policies of
        the branch may not be read."""
        found = await self._in_force(STATUS)
        if found is None:
            return None
        wanted = (GENRE, name)
        return any((one.get("statusGenre"), one.get("statusName")) == wanted for one in found)

    async def _in_force(self, kind: str) -> list[Json] | None:
        """The settings of the policies of a type that hold a merge up; None: they cannot be read.

        https://learn.microsoft.com/rest/api/azure/devops/git/policy-configurations/get
        """
        try:
            _, repository = await self._people.ids()
            asked = {"repositoryId": repository, "refName": self._ref, "policyType": kind}
            found = await self._client.get(
                f"{self._client.project}/git/policy/configurations", asked
            )
        except Permanent as error:
            if error.status in (401, 403, 404):
                return None
            raise
        return [
            one.get("settings") or {}
            for one in found["value"]
            if one.get("isEnabled")
            and one.get("isBlocking")
            and not one.get("isDeleted")
            and (one.get("type") or {}).get("id", "").lower() == kind
        ]


def _is_fulfilled(evaluation: Json) -> bool:
    configuration = evaluation.get("configuration") or {}
    if not (configuration.get("isEnabled") and configuration.get("isBlocking")):
        return True
    settings = configuration.get("settings") or {}
    kind = (configuration.get("type") or {}).get("id", "").lower()
    if kind == STATUS and settings.get("statusGenre") == GENRE:
        return True
    return str(evaluation.get("status", "")).lower() in FULFILLED
