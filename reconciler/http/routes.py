"""One function for each thing that can be asked: a request in, an answer out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.core.desired.environment import Environment
from reconciler.core.model import RunHeader, Status
from reconciler.core.render import run_json
from reconciler.http.answer import Answer, problem
from reconciler.http.asking import read_asked, read_environment, read_limit
from reconciler.service import Service, UnknownRun


@dataclass(frozen=True)
class Request:
    """What of a request matters here."""

    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def link(self, path: str) -> str:
        """Another address of the same app; never with this one's query, which may hold a key."""
        base, _, _ = self.url.partition("?")
        return f"{base.partition('/api/')[0]}/api/{path}"


async def reconcile(service: Service, request: Request) -> Answer:
    """Queue a plan or an apply: 202 and where to follow it."""
    found = await service.request(read_asked(request.body, by="http"))
    url = request.link(f"runs/{found.id}")
    return Answer(202, {"run": found.id, "status_url": url}, {"Location": url})


async def runs(service: Service, request: Request) -> Answer:
    """The newest runs first, of one environment or of all."""
    environment = read_environment(request.query.get("environment", ""))
    limit = read_limit(request.query.get("limit", ""))
    found = await service.store.runs(environment, limit)
    return Answer(200, {"runs": [_header(one) for one in found]})


async def run(service: Service, request: Request) -> Answer:
    """One run with its plan and how every step stands."""
    name = request.params.get("id", "")
    found = await service.store.run(name)
    if found is None:
        raise UnknownRun(f'there is no run "{name[:100]}"')
    asked = {"mode": found.mode, "only": list(found.only)}
    return Answer(200, {**run_json(found), **asked})


async def cancel(service: Service, request: Request) -> Answer:
    """Ask a run to end: at once when it was waiting, else after the requests under way."""
    name = request.params.get("id", "")
    state = await service.cancel(name)
    return Answer(200 if state == "cancelled" else 202, {"run": name, "state": state})


async def environments(service: Service, request: Request) -> Answer:
    """What is declared at the head of the branch, and how each stands."""
    known = await service.known()
    listed = [_environment(one, status) for one, status in known.environments]
    return Answer(200, {"commit": known.commit, "environments": listed})


async def webhook(service: Service, request: Request) -> Answer:
    """Hear what a forge has to tell: 202 when it matters, 204 when not."""
    name = request.params.get("forge", "")
    heard = await service.hear(name, request.headers, request.body)
    return Answer(202, {"accepted": True}) if heard else Answer(204, None)


def _header(header: RunHeader) -> dict[str, Any]:
    return {
        "id": header.id,
        "environment": header.environment,
        "mode": header.mode,
        "state": header.state,
        "detail": header.detail,
        "commit": header.commit,
        "digest": header.digest,
        "summary": dict(header.summary),
        "requestedBy": header.requested_by,
        "createdAt": header.created_at,
        "endedAt": header.ended_at,
    }


def _environment(one: Environment, status: Status) -> dict[str, Any]:
    return {
        "name": one.name,
        "subscription": one.subscription,
        "resourceGroup": one.resource_group,
        "location": one.location,
        "selfHeal": one.self_heal,
        "apply": one.apply,
        "suspended": one.suspend is not None,
        "appliedCommit": status.applied_commit,
        "appliedAt": status.applied_at,
        "triedCommit": status.tried_commit,
        "failures": status.failures,
        "retryAt": status.retry_at,
        "checkedAt": status.checked_at,
        "drift": status.drift,
        "lastRun": status.last_run,
        "heldBy": status.held_by,
    }


type Route = Callable[[Service, Request], Awaitable[Answer]]

ROUTES: Final[Mapping[str, Route]] = {
    "reconcile": reconcile,
    "runs": runs,
    "run": run,
    "cancel": cancel,
    "environments": environments,
    "webhook": webhook,
}


async def answer(route: str, service: Callable[[], Service], request: Request) -> Answer:
    """The answer of a route, or the problem that kept it from answering. Never raises."""
    try:
        return await ROUTES[route](service(), request)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
        return problem(error)
