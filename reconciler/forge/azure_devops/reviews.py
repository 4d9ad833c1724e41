"""Votes, and which of them are about the newest commit.

Azure Repos keeps one vote a reviewer, and does not say of which commit it was. An approval counts
here when the branch's policy takes approvals away on every push, or when the pull request's own
history shows that it was given after the newest push; otherwise it does not.

https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-reviewers
https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads/list
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.core.forge import Pull, Reviews
from reconciler.forge.azure_devops.client import Client
from reconciler.forge.azure_devops.people import name_of, value_of
from reconciler.forge.azure_devops.policies import Policies
from reconciler.forge.azure_devops.pulls import Pulls
from reconciler.forge.azure_devops.statuses import head_of

APPROVED: Final = 5
"""With suggestions; 10 without."""
WAITING: Final = -5
"""For the author; -10: rejected."""
NOBODY: Final = Reviews(frozenset(), frozenset())

type Json = Mapping[str, Any]


class ReviewsOf:
    """Reads what people said of a pull request."""

    def __init__(self, client: Client, pulls: Pulls, policies: Policies) -> None:
        self._client, self._pulls, self._policies = client, pulls, policies

    async def reviews(self, pull: Pull) -> Reviews:
        """Groups do not vote: a vote of theirs is that of a member, who is listed too."""
        found = await self._pulls.raw(pull.number)
        people = [one for one in found.get("reviewers") or [] if not one.get("isContainer")]
        against = frozenset(name_of(one) for one in people if one.get("vote", 0) <= WAITING)
        approved = [one for one in people if one.get("vote", 0) >= APPROVED]
        head = (found.get("lastMergeSourceCommit") or {}).get("commitId", "")
        if not approved or head != pull.head:
            return Reviews(frozenset(), against)
        if not await self._policies.take_votes():
            fresh = await self._fresh(pull)
            approved = [one for one in approved if one.get("id", "").lower() in fresh]
        return Reviews(frozenset(name_of(one) for one in approved), against)

    async def _fresh(self, pull: Pull) -> frozenset[str]:
        """The ids of those whose last vote came after the newest push."""
        url = f"{self._client.repository}/pullRequests/{pull.number}"
        iterations = (await self._client.get(f"{url}/iterations"))["value"]
        newest: Json = max(iterations, key=lambda one: int(one["id"]), default={})
        pushed = moment(newest.get("createdDate"))
        if head_of(newest) != pull.head or pushed is None:
            return frozenset()
        threads = (await self._client.get(f"{url}/threads"))["value"]
        return fresh_votes(threads, pushed)


def fresh_votes(threads: Iterable[Json], pushed: datetime) -> frozenset[str]:
    """Who approved with a last vote that is younger than the push.

    Threads can be made by anybody with any properties; what cannot be chosen is who wrote one. So
    a vote counts for the author of its comment alone, as whom Azure DevOps writes it down.
    """
    last: dict[str, tuple[datetime, int]] = {}
    for thread in threads:
        voted = _vote(thread)
        if voted and (voted[0] not in last or last[voted[0]][0] < voted[1]):
            last[voted[0]] = voted[1:]
    return frozenset(
        who for who, (when, vote) in last.items() if vote >= APPROVED and when >= pushed
    )


def _vote(thread: Json) -> tuple[str, datetime, int] | None:
    """Who voted, when and what, if the thread tells of a vote."""
    properties = thread.get("properties")
    comment: Json = next(iter(thread.get("comments") or []), {})
    who = str((comment.get("author") or {}).get("id", "")).lower()
    when = moment(comment.get("publishedDate"))
    if value_of(properties, "CodeReviewThreadType") != "VoteUpdate" or not who or when is None:
        return None
    if comment.get("commentType") != "system":
        return None
    try:
        return who, when, int(value_of(properties, "CodeReviewVoteResult"))
    except ValueError:
        return None


def moment(text: object) -> datetime | None:
    """A time as Azure DevOps writes it, in UTC."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
