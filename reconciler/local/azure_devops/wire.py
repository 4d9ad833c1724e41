"""Routes of the emulated REST API, below an organization."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reconciler.local.azure_devops.model import (
    GENERIC_READ,
    JSON,
    PULL_REQUEST_CONTRIBUTE,
    Pull,
    Refusal,
    Repository,
    Thread,
    User,
)
from reconciler.local.azure_devops.pulls import Site
from reconciler.local.azure_devops.world import World, not_found
from reconciler.local.github.wire import Reply, Request

GIT = "/{project}/_apis/git/repositories/{repository}"
PULL = GIT + "/pullRequests/{pull}"


@dataclass
class Context:
    """What a handler works with."""

    site: Site
    request: Request
    caller: User
    params: Mapping[str, str]

    @property
    def world(self) -> World:
        return self.site.world

    @cached_property
    def body(self) -> Any:
        try:
            return json.loads(self.request.content or b"null")
        except ValueError:
            raise Refusal(400, "TF400898: The request is not JSON.") from None

    @property
    def object(self) -> JSON:
        """The JSON object that was sent. 400 when it is none."""
        if not isinstance(self.body, dict):
            raise Refusal(400, "Value cannot be null.", "ArgumentNullException")
        return self.body

    def query(self, name: str, default: str = "") -> str:
        return self.request.query.get(name, default)

    def number(self, name: str, default: int) -> int:
        text = self.query(name)
        return int(text) if text.isdecimal() else default

    @property
    def repo(self) -> Repository:
        """The repository of the path, if the caller may read it. 404 as for none."""
        found = self.world.repository(self.params["repository"], self.params.get("project", ""))
        if not found.may(self.caller, GENERIC_READ):
            raise not_found(self.params["repository"])
        return found

    @property
    def pull(self) -> Pull:
        text = self.params["pull"]
        found = self.repo.pulls.get(int(text)) if text.isdecimal() else None
        if found is None:
            raise Refusal(404, f"TF401180: The requested pull request {text} was not found.",
                          "GitPullRequestNotFoundException")  # fmt: skip
        return found

    @property
    def thread(self) -> Thread:
        for one in self.pull.threads:
            if str(one.id) == self.params["thread"]:
                return one
        raise Refusal(404, "The thread does not exist.", "DiscussionThreadNotFoundException")

    def contributes(self) -> User:
        """The caller, if he may write to pull requests. 403 otherwise."""
        if not self.repo.may(self.caller, PULL_REQUEST_CONTRIBUTE):
            raise denied("PullRequestContribute", self.repo)
        return self.caller

    def page(self, items: Sequence[Any], size: int = 100) -> Sequence[Any]:
        skip = self.number("$skip", 0)
        return items[skip : skip + self.number("$top", size)]


def denied(right: str, repo: Repository) -> Refusal:
    why = f"TF401027: You need the Git '{right}' permission to perform this action. Details: "
    return Refusal(403, f"{why}repository '{repo.name}'.", "GitNeedsPermissionException")


Handler = Callable[[Context], Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    handler: Handler

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        text = re.escape(self.template).replace(r"\{", "{").replace(r"\}", "}")
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text), re.IGNORECASE)


def route(method: str, template: str) -> Callable[[Handler], Route]:
    """Make a handler an operation."""
    return lambda handler: Route(method, template, handler)


def routes_of(*modules: Any) -> list[Route]:
    """All operations that modules define, the most precise first."""
    found = [one for module in modules for one in vars(module).values() if isinstance(one, Route)]
    return sorted(found, key=lambda one: -len(re.sub(r"\{\w+\}", "", one.template)))
