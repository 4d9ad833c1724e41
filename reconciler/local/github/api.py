"""The REST API: who is asking, may they, how often; and answers that need not be sent again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from reconciler.local.github import auth
from reconciler.local.github.limits import Limits
from reconciler.local.github.model import JSON, Caller, Refusal, Repository
from reconciler.local.github.rest import ROUTES
from reconciler.local.github.site import Site
from reconciler.local.github.wire import Context, Reply, Request, not_found

PREFIX = "/api/v3"
VERSION = "2022-11-28"


@dataclass
class Api:
    """Answers what comes below /api/v3, where GitHub Enterprise Server has it."""

    site: Site
    limits: Limits

    async def handle(self, request: Request) -> tuple[Reply, Caller]:
        """The answer, and who asked."""
        caller, now = Caller(), self.site.world.now()
        try:
            caller = auth.caller_of(self.site.world, request.headers.get("authorization", ""))
            if request.path == "/rate_limit":
                reply = Reply(200, self._rates(caller, now))
            else:
                self.limits.admit(caller, now)
                reply = await self._answer(request, caller, now)
        except Refusal as refusal:
            reply = Reply(refusal.status, refusal.body, refusal.headers)
        if request.method in ("GET", "HEAD") and reply.status == 200:
            reply = self._conditional(request, caller, reply, now)
        common = {"X-GitHub-Media-Type": "github.v3; format=json",
                  "x-github-api-version-selected": VERSION}  # fmt: skip
        if caller.scopes is not None:
            common["X-OAuth-Scopes"] = caller.scopes
        reply.headers = {**common, **self.limits.headers(caller, now), **reply.headers}
        return reply, caller

    async def _answer(self, request: Request, caller: Caller, now: float) -> Reply:
        route, params = ROUTES.find(request.method, request.path)
        repo = self._repository(params.get("owner"), params.get("repo"))
        auth.check(self.site.world, caller, route, repo)
        if route.creates:
            self.limits.create(caller, now)
        async with self.site.lock:
            return await route.handler(Context(self.site, request, caller, params, repo))

    def _repository(self, owner: str | None, name: str | None) -> Repository | None:
        if owner is None or name is None:
            return None
        found = self.site.world.repository(owner, name)
        if found is None:
            raise not_found()
        return found

    def _conditional(self, request: Request, caller: Caller, reply: Reply, now: float) -> Reply:
        content = encoded(reply.body)
        etag = f'W/"{hashlib.sha256(content).hexdigest()}"'
        known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
        if etag in known or etag.removeprefix("W/") in known:
            self.limits.give_back(caller, now)
            return Reply(304, None, {"ETag": etag})
        caching = {"ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60"}
        return Reply(reply.status, reply.body, {**caching, **reply.headers})

    def _rates(self, caller: Caller, now: float) -> JSON:
        core = self.limits.window(caller, now).as_json()
        untouched = {**core, "used": 0, "remaining": core["limit"]}
        return {"resources": {"core": core, "search": untouched}, "rate": core}


def encoded(body: object) -> bytes:
    """A body as it is sent."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()
