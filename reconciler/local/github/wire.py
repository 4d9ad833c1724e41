"""Requests, answers and routes of the emulated REST API."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from reconciler.local.github.model import JSON, Caller, Refusal, Repository

if TYPE_CHECKING:
    from reconciler.local.github.site import Site

T = TypeVar("T")
# Parameters that may hold a slash.
LONG = frozenset({"ref", "path", "basehead", "branch"})
PAGE_SIZE, LARGEST_PAGE = 30, 100


@dataclass(frozen=True)
class Request:
    """As it came in: the path decoded, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes = b""

    @cached_property
    def body(self) -> JSON:
        """The JSON object that was sent, {} for nothing. 400 when it is none."""
        try:
            found = json.loads(self.content or b"{}")
        except ValueError:
            raise Refusal(400, "Problems parsing JSON") from None
        if not isinstance(found, dict):
            raise Refusal(400, "Body should be a JSON object")
        return found


@dataclass
class Reply:
    """An answer; `body` is JSON, or bytes with their own content type."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Context:
    """What a handler works with."""

    site: Site
    request: Request
    caller: Caller
    params: Mapping[str, str]
    found: Repository | None = None

    @property
    def repo(self) -> Repository:
        assert self.found is not None, "only routes below /repos/{owner}/{repo} have one"
        return self.found

    @property
    def body(self) -> JSON:
        return self.request.body

    def number(self, name: str) -> int:
        """A parameter of the path that is a number. 404 when it is none."""
        text = self.params[name]
        if not text.isdecimal():
            raise not_found()
        return int(text)

    def text(self, name: str, default: str | None = None) -> str | None:
        """A member of the body that is text or null. 422 for anything else."""
        value = self.body.get(name, default)
        if value is not None and not isinstance(value, str):
            raise invalid_request(f"For 'properties/{name}', {json.dumps(value)} is not a string.")
        return value

    def required(self, name: str) -> str:
        """A member of the body that has to be text. 422 when it is missing."""
        value = self.text(name)
        if value is None:
            raise invalid_request(f'"{name}" wasn\'t supplied.')
        return value

    def chosen(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """A member that has to be one of these."""
        value = self.required(name) if default is None else self.text(name, default) or default
        if value not in choices:
            raise invalid_request(f"{value} is not a member of {json.dumps(list(choices))}.")
        return value

    def page(self, items: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
        """The part of a list that was asked for, and the header that links to the others."""
        size = min(max(_number(self.request, "per_page", PAGE_SIZE), 1), LARGEST_PAGE)
        page = max(_number(self.request, "page", 1), 1)
        last = max(1, -(-len(items) // size))
        named = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            named = {"prev": min(page - 1, last), "first": 1}
        if page == 1:
            named = {rel: at for rel, at in named.items() if rel in ("next", "last")}
        links = [f'<{self._link(at)}>; rel="{rel}"' for rel, at in named.items()]
        headers = {"Link": ", ".join(links)} if links else {}
        return items[(page - 1) * size : page * size], headers

    def _link(self, page: int) -> str:
        query = {**self.request.query, "page": str(page)}
        return f"{self.site.world.api}{self.request.path}?{urlencode(query)}"


Handler = Callable[[Context], Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """An operation of the API.

    `permission` is what an App's token must have ("issues:write"), `level` what a user needs in
    the repository; `creates` counts against the limit on content. `app` routes take the JWT.
    """

    method: str
    template: str
    handler: Handler
    permission: str
    level: str
    creates: bool
    app: bool

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", _group, self.template))

    @property
    def weight(self) -> int:
        """How much of it is fixed: of the routes that fit, the one with most of it is meant."""
        return len(re.sub(r"\{\w+\}", "", self.template))


class Routes:
    """The operations, found by method and path."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.all = sorted(routes, key=lambda route: -route.weight)

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The operation and the parameters in the path. 404 for an unknown one."""
        wanted = "GET" if method == "HEAD" else method
        for route in self.all:
            if route.method == wanted and (match := route.pattern.fullmatch(path)):
                return route, match.groupdict()
        raise not_found()


def route(
    method: str,
    template: str,
    permission: str = "metadata:read",
    *,
    level: str = "read",
    creates: bool = False,
    app: bool = False,
) -> Callable[[Handler], Route]:
    """Make a handler an operation."""

    def made(handler: Handler) -> Route:
        return Route(method, template, handler, permission, level, creates, app)

    return made


def routes_of(*modules: Any) -> list[Route]:
    """All operations that modules define."""
    values = [value for module in modules for value in vars(module).values()]
    return [value for value in values if isinstance(value, Route)]


def not_found() -> Refusal:
    return Refusal(404, "Not Found")


def invalid_request(why: str) -> Refusal:
    """A body that does not fit the schema."""
    return Refusal(422, f"Invalid request.\n\n{why}")


def invalid(resource: str, field_name: str, code: str, message: str = "") -> Refusal:
    """A body that fits the schema and still cannot be taken."""
    error = {"resource": resource, "field": field_name, "code": code}
    return Refusal(422, "Validation Failed", errors=[{**error, **_said(message)}])


def _said(message: str) -> JSON:
    return {"message": message} if message else {}


def _group(match: re.Match[str]) -> str:
    name = match[1]
    return f"(?P<{name}>.+)" if name in LONG else f"(?P<{name}>[^/]+)"


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() else default
