"""The rules of branches that the emulator holds to: reviewers, and statuses.

https://learn.microsoft.com/azure/devops/repos/git/branch-policies
"""

from __future__ import annotations

from reconciler.local.azure_devops.model import Policy, Pull

REVIEWERS = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
STATUS = "cbdc66da-9728-4af8-aada-9a5a32e4a226"


def of(pull: Pull) -> list[Policy]:
    """Those of its target."""
    return [one for one in pull.repo.policies if one.ref == pull.target_ref]


def evaluation(pull: Pull, policy: Policy) -> str:
    """How a policy stands: approved, queued or rejected."""
    if policy.kind == REVIEWERS:
        votes = [vote for user, vote in pull.votes.values() if user is not pull.author]
        enough = sum(vote > 0 for vote in votes) >= policy.settings["minimumApproverCount"]
        if any(vote == -10 for vote in votes):
            return "rejected"
        return "approved" if enough else "queued"
    wanted = (policy.settings["statusGenre"], policy.settings["statusName"])
    newest = len(pull.iterations)
    found = [
        one
        for one in pull.statuses
        if (one.genre, one.name) == wanted and one.iteration in (None, newest)
    ]
    if not found:
        return "queued"
    states = {"succeeded": "approved", "notApplicable": "approved", "pending": "queued"}
    return states.get(max(found, key=lambda one: one.id).state, "rejected")


def allow(pull: Pull) -> bool:
    """Whether every policy that blocks is fulfilled."""
    return all(evaluation(pull, one) == "approved" for one in of(pull) if one.blocking)


def pushed(pull: Pull) -> None:
    """A push takes approvals away where the policy says so."""
    resets = [one for one in of(pull) if one.settings.get("resetOnSourcePush")]
    if resets:
        pull.votes = {key: (user, min(vote, 0)) for key, (user, vote) in pull.votes.items()}
