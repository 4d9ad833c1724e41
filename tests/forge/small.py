"""A GitHub of a few endpoints, on loopback: it keeps what it is sent, and misbehaves as told."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import jwt
from aiohttp import web

from tests.azure.scripted import JumpClock

REPOSITORY = "contoso/estate"
ROOT = f"/repos/{REPOSITORY}"
TOKEN = "ghp_canary5f1e9d7b3a"
APP_ID = "4711"

DROP = object()
"""A fault: the request is carried out, and the connection closed without an answer."""
LOST = object()
"""A fault: the connection is closed before anything was done."""


@dataclass
class Small:
    """``faults`` are answers given instead, in order; None lets a request through."""

    clock: JumpClock
    login: str = "reconciler-bot"
    public_key: str = ""
    url: str = ""
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    annotations: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    """Paths that answer a fixed body, or what a function gives."""
    faults: list[Any] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    sent: list[tuple[str, str, Mapping[str, str], Any]] = field(default_factory=list)
    """Method, path, query and body of every request."""
    authorizations: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    barrier: asyncio.Barrier | None = None
    """Holds creations of comments until so many are there."""
    ids: Any = field(default_factory=lambda: count(100))

    def lines(self, method: str = "") -> list[str]:
        return [f"{one} {path}" for one, path in self.seen if not method or one == method]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        text = await request.text()
        self.seen.append((request.method, request.path))
        body = json.loads(text) if text else None
        self.sent.append((request.method, request.path, dict(request.query), body))
        self.authorizations.append(request.headers.get("Authorization", ""))
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, tuple):
            status, headers, said = fault
            return web.json_response(said, status=status, headers=headers)
        if fault is LOST:
            return _hang_up(request)
        answer = await self._answer(request, body or {})
        return _hang_up(request) if fault is DROP else answer

    async def _answer(self, request: web.BaseRequest, body: Any) -> web.StreamResponse:
        refusal = self._who(request)
        if refusal:
            return refusal
        path, method = request.path.removeprefix(ROOT), request.method
        if path in self.fixed:
            found = self.fixed[path]
            return _paged(request, found() if callable(found) else found)
        parts = path.strip("/").split("/")
        match method, parts:
            case "GET", ["user"]:
                return web.json_response({"login": self.login})
            case "GET", ["app"]:
                return web.json_response({"slug": self.login.removesuffix("[bot]")})
            case "GET", ["installation"]:
                return web.json_response({"id": 99})
            case "POST", ["app", "installations", "99", "access_tokens"]:
                return self._new_token(body)
            case _, ["issues", _, "comments"] | ["issues", "comments", _]:
                return await self._comment(request, parts, body)
            case "POST", ["issues", "comments", _, "reactions"]:
                return web.json_response({"content": body["content"]}, status=201)
            case _, ["issues", *_]:
                return self._issue(request, parts, body)
            case "POST", ["statuses", commit]:
                self.statuses.insert(0, {**body, "sha": commit})
                return web.json_response(self.statuses[0], status=201)
            case "GET", ["commits", commit, "statuses"]:
                return _paged(request, [one for one in self.statuses if one["sha"] == commit])
            case _, ["commits", commit, "check-runs"]:
                return self._runs_of(request, commit)
            case _, ["check-runs", *_]:
                return self._run(method, parts, body)
        return web.json_response({"message": "Not Found"}, status=404)

    def _who(self, request: web.BaseRequest) -> web.Response | None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path.startswith("/app") or request.path == f"{ROOT}/installation":
            try:
                claims = jwt.decode(given, self.public_key, algorithms=["RS256"])
            except jwt.PyJWTError:
                return web.json_response({"message": "Bad JWT"}, status=401)
            assert claims["iss"] == APP_ID
            return None
        if given not in {TOKEN, *self.tokens} - self.revoked:
            return web.json_response({"message": f"Bad credentials: {given}"}, status=401)
        return None

    def _new_token(self, body: Mapping[str, Any]) -> web.Response:
        assert body == {"repositories": ["estate"]}
        self.tokens.append(f"ghs_canary{len(self.tokens)}x9d2c7e1f")
        until = datetime.fromtimestamp(self.clock.now().timestamp() + 3600, UTC)
        given = {"token": self.tokens[-1], "expires_at": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
        return web.json_response(given, status=201)

    async def _comment(
        self, request: web.BaseRequest, parts: list[str], body: Any
    ) -> web.StreamResponse:
        if request.method == "POST":
            if self.barrier:
                await self.barrier.wait()
            return web.json_response(self.add_comment(int(parts[1]), body["body"]), status=201)
        if parts[1] != "comments":
            return _paged(
                request, [one for one in self.comments.values() if one["issue"] == int(parts[1])]
            )
        found = self.comments.get(int(parts[2]))
        if found is None:
            return web.json_response({"message": "Not Found"}, status=404)
        if request.method == "DELETE":
            del self.comments[int(parts[2])]
            return web.Response(status=204)
        return web.json_response(found | body if request.method == "GET" else _set(found, body))

    def add_comment(self, pull: int, body: str, login: str = "") -> dict[str, Any]:
        number = next(self.ids)
        self.comments[number] = {
            "id": number,
            "issue": pull,
            "body": body,
            "user": {"login": login or self.login},
            "html_url": f"{self.url}/{REPOSITORY}/pull/{pull}#issuecomment-{number}",
        }
        return self.comments[number]

    def _issue(self, request: web.BaseRequest, parts: list[str], body: Any) -> web.StreamResponse:
        if request.method == "GET":
            asked = request.query
            return _paged(
                request,
                [
                    one
                    for one in self.issues.values()
                    if one["state"] == asked["state"] and one["user"]["login"] == asked["creator"]
                ],
            )
        if request.method == "PATCH":
            return web.json_response(_set(self.issues[int(parts[1])], body))
        return web.json_response(self.add_issue(**body), status=201)

    def add_issue(self, title: str, body: str, **more: Any) -> dict[str, Any]:
        number = next(self.ids)
        self.issues[number] = {
            "number": number,
            "state": "open",
            "title": title,
            "body": body,
            "user": {"login": self.login},
            **more,
        }
        return self.issues[number]

    def _runs_of(self, request: web.BaseRequest, commit: str) -> web.Response:
        name, app = request.query["check_name"], request.query["app_id"]
        assert app == APP_ID
        found = [one for one in self.runs if (one["head_sha"], one["name"]) == (commit, name)]
        return web.json_response({"total_count": len(found[-1:]), "check_runs": found[-1:]})

    def _run(self, method: str, parts: list[str], body: Any) -> web.Response:
        assert len(body["output"].get("annotations", [])) <= 50
        if method == "POST":
            self.runs.append({"id": next(self.ids), "output": {}})
        run = self.runs[-1] if method == "POST" else self.run(int(parts[1]))
        mine = self.annotations.setdefault(run["id"], [])
        mine.extend(body["output"].get("annotations", []))
        _set(run, body)
        run["output"] = {**body["output"], "annotations_count": len(mine)}
        return web.json_response(run, status=201 if method == "POST" else 200)

    def run(self, number: int) -> dict[str, Any]:
        return next(one for one in self.runs if one["id"] == number)


def _set(found: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    found.update(body)
    return found


def _paged(request: web.BaseRequest, body: Any) -> web.Response:
    if not isinstance(body, list):
        return web.json_response(body)
    page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 30))
    headers = {"Link": '<http://elsewhere/?page=2>; rel="next"'} if page * size < len(body) else {}
    return web.json_response(body[(page - 1) * size : page * size], headers=headers)


def _hang_up(request: web.BaseRequest) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


def limited(seconds: int) -> tuple[int, Mapping[str, str], Any]:
    message = "You have exceeded a secondary rate limit. Please wait a few minutes."
    return 403, {"Retry-After": str(seconds)}, {"message": message}


def used_up(clock: JumpClock, seconds: float) -> tuple[int, Mapping[str, str], Any]:
    reset = clock.now() + timedelta(seconds=seconds)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(reset.timestamp()))}
    return 403, headers, {"message": "API rate limit exceeded for installation ID 99."}
