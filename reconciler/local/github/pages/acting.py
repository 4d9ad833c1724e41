"""The forms of the pages: each asks the REST API, with the token of the person who was chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, quote, urlsplit

from reconciler.local.github.api import Api
from reconciler.local.github.model import JSON
from reconciler.local.github.pages.layout import document, link
from reconciler.local.github.wire import Reply, Request

PAGE = re.compile(
    r"/(?P<repo>[^/]+/[^/]+)/(?:(?:pull|issues)/(?P<number>\d+)|pull/new/(?P<branch>.+))"
)
Form = Mapping[str, str]
Call = tuple[str, str, JSON]


def _open(_: str, form: Form) -> Call:
    words = {name: form.get(key, "") for name, key in (("title", "title"), ("body", "text"))}
    return "POST", "/pulls", {**words, "head": form.get("head", ""), "base": form.get("base", "")}


ACTIONS: Mapping[str, Callable[[str, Form], Call]] = {
    "comment": lambda number, form: (
        "POST", f"/issues/{number}/comments", {"body": form.get("text", "")},
    ),
    "approve": lambda number, form: (
        "POST", f"/pulls/{number}/reviews", {"event": "APPROVE", "body": form.get("text", "")},
    ),
    "close": lambda number, _: ("PATCH", f"/pulls/{number}", {"state": "closed"}),
    "merge": lambda number, _: ("PUT", f"/pulls/{number}/merge", {}),
    "open": _open,
}  # fmt: skip


@dataclass
class Acting:
    """What was refused is shown; what was done leads back to the page."""

    api: Api

    async def handle(self, request: Request) -> Reply:
        """Do what a form asks for."""
        found = PAGE.fullmatch(request.path)
        form = dict(parse_qsl(request.content.decode("utf-8", "replace")))
        action = ACTIONS.get(form.get("do", ""))
        if found is None or action is None or (found["branch"] is None) == (action is _open):
            return _page(404, "Not found", request.path)
        if not _from_here(request):
            return _page(403, "Sent by another site", request.path)
        repo = self.api.site.world.repository(*found["repo"].split("/"))
        given = {"base": repo.default_branch if repo else "", **form}
        method, path, body = action(found["number"], given)
        world = self.api.site.world
        user = world.user(form.get("as", ""))
        headers = {"authorization": f"Bearer {world.token_of(user.login)}"} if user else {}
        where = f"/repos/{found['repo']}{path}"
        asked = Request(method, where, {}, headers, json.dumps(body).encode())
        reply, _ = await self.api.handle(asked)
        if reply.status >= 400:
            return _page(reply.status, _why(reply.body), request.path)
        number = found["number"] or reply.body["number"]
        kind = "issues" if "/issues/" in request.path else "pull"
        return Reply(303, None, {"Location": f"/{found['repo']}/{kind}/{number}"})


def _from_here(request: Request) -> bool:
    """A browser says which site a form was sent from; other clients say nothing."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _why(body: JSON) -> str:
    details = [
        one if isinstance(one, str) else one.get("message") or f"{one['field']}: {one['code']}"
        for one in body.get("errors", [])
    ]
    return " · ".join([body["message"], *details])


def _page(status: int, title: str, back: str) -> Reply:
    content = document(title, f"<h1>{escape(title)}</h1><p>{link(quote(back), 'Back')}</p>")
    return Reply(status, content, {"Content-Type": "text/html; charset=utf-8"})
