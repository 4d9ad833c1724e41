"""Replays recorded exchanges with Azure at the emulator, and says where the answers differ.

Requests are sent as recorded. What the recording takes for granted (groups, parents, resources
that were there before) is put in through the back door. Time stands still; an operation ends when
the recording shows it ended. URLs that the emulator hands out replace the recorded ones.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from reconciler.local.azure import ids
from reconciler.local.azure.model import TERMINAL
from reconciler.local.azure.server import EmulatedAzure
from reconciler.local.clock import ManualClock
from tests.local.azure.comparing import differing, style

SUBSCRIPTIONS = (
    "00000000-0000-0000-0000-000000000000",
    "00000000-0000-0000-0000-000000000",  # as the Python recordings have it
)
GONE = ("ResourceGroupNotFound", "ParentResourceNotFound", "DeletedVaultNotFound")
ASYNC_HEADERS = ("azure-asyncoperation", "location", "retry-after", "x-ms-async-operation-timeout")


@dataclass(frozen=True)
class Difference:
    """One thing that is not as recorded; `where` is method, type and place in the answer."""

    scenario: str
    seq: int
    where: str
    recorded: Any
    answered: Any

    def __str__(self) -> str:
        return (
            f"{self.scenario}:{self.seq} {self.where}\n"
            f"      recorded {_short(self.recorded)}\n      answered {_short(self.answered)}"
        )


class StandingClock(ManualClock):
    """Time stands still, and nobody waits for it."""

    async def sleep(self, seconds: float) -> None:
        return


@dataclass
class Replay:
    """One scenario, and what became of it."""

    scenario: str
    exchanges: list[dict[str, Any]]
    azure: EmulatedAzure
    session: aiohttp.ClientSession
    compared: int = 0
    skipped: int = 0
    differences: list[Difference] = field(default_factory=list)
    _urls: dict[tuple[str, str], str] = field(default_factory=dict)
    _seeded: set[str] = field(default_factory=set)

    async def run(self) -> None:
        self._seed_lists()
        for exchange in self.exchanges:
            await self._replay(exchange)

    async def _replay(self, exchange: dict[str, Any]) -> None:
        own_url = self._urls.get(_url_key(exchange["path"], exchange.get("query", "")))
        foreign_page = "skiptoken" in exchange.get("query", "").lower()
        if own_url is None and (foreign_page or not self._known(exchange)):
            self.skipped += 1
            return
        if own_url is None:
            self._prepare(exchange)
        self._let_time_pass(exchange, own_url)
        url = own_url or self._url(exchange)
        headers = {"Authorization": f"Bearer {self.azure.token()}"}
        async with self.session.request(
            exchange["method"], url, json=exchange["request"], headers=headers
        ) as answer:
            text = await answer.text()
            found = {k.lower(): v for k, v in answer.headers.items()}
            self._learn(exchange, found)
            if not self._trivial(exchange):
                self._compare(exchange, answer.status, found, _decoded(text))

    # What is sent

    def _url(self, exchange: dict[str, Any]) -> str:
        more = exchange.get("query", "")
        query = f"api-version={exchange['api_version']}" + (f"&{more}" if more else "")
        return f"{self.azure.url}{exchange['path']}?{query}"

    def _known(self, exchange: dict[str, Any]) -> bool:
        """Whether the emulator has what the request is about."""
        path = exchange["path"]
        if self.azure.registry.route(exchange["method"], path):
            return True
        parsed = ids.parse(path)
        if parsed is None:
            return False
        types = self.azure.registry.types
        if parsed.type_name.lower() in types:
            return True
        owner = ids.parse(path.rpartition("/")[0])
        kind = types.get(owner.type_name.lower()) if owner and parsed.is_collection else None
        table = {"POST": kind.actions, "GET": kind.views}.get(exchange["method"]) if kind else None
        return bool(table) and path.rpartition("/")[2].lower() in {n.lower() for n in table}

    def _learn(self, exchange: dict[str, Any], found: dict[str, str]) -> None:
        """Which of our URLs stands for which recorded one."""
        for name in ("azure-asyncoperation", "location"):
            recorded, own = exchange["headers"].get(name), found.get(name)
            if recorded and own and "//" in recorded and "/providers/" in recorded:
                split = urlsplit(recorded)
                if exchange["path"].lower() != split.path.lower():
                    self._urls[_url_key(split.path, split.query)] = own
            elif recorded and own and "operationresults" in recorded:
                split = urlsplit(recorded)
                self._urls[_url_key(split.path, split.query)] = own

    # What is taken for granted

    def _prepare(self, exchange: dict[str, Any]) -> None:
        self._seed_deleted_vault(exchange)
        error = (exchange["response"] or {}).get("error") or {}
        parsed = ids.parse(exchange["path"])
        if parsed is None or error.get("code") in GONE:
            if error.get("code") == "ParentResourceNotFound" and parsed:
                self._seed_group(parsed.subscription, parsed.group)
            return
        is_group = parsed.type_name == "Microsoft.Resources/resourceGroups"
        made_here = exchange["method"] == "PUT" and exchange["status"] != 200
        if is_group and (made_here or exchange["status"] == 404 or parsed.is_collection):
            return
        self._seed_group(parsed.subscription, parsed.group)
        if is_group:
            return
        target = exchange["path"]
        if parsed.is_collection:
            target = target.rpartition("/")[0]
        if error.get("code") == "ResourceNotFound" and f"/{parsed.names[-1]}'" not in str(error):
            return
        self._seed_parents(target)
        if self._was_there(exchange, parsed.is_collection):
            self._seed(target, exchange)

    def _was_there(self, exchange: dict[str, Any], collection: bool) -> bool:
        """Whether the recording shows that the resource existed before this exchange."""
        if exchange["method"] == "PUT":
            parsed = ids.parse(exchange["path"])
            kind = self.azure.registry.types.get(parsed.type_name.lower()) if parsed else None
            created = kind.put.created if kind and kind.put else 200
            return exchange["status"] == 200 and created != 200
        if collection:
            return exchange["method"] == "POST"
        return exchange["status"] < 300 and exchange["status"] != 204

    def _seed_group(self, subscription: str, group: str) -> None:
        arm_id = f"/subscriptions/{subscription}/resourceGroups/{group}"
        if group and self.azure.store.find(arm_id) is None:
            body = self._recorded_body(arm_id) or {"location": "eastus"}
            self._insert(arm_id, body)

    def _seed_parents(self, arm_id: str) -> None:
        parsed = ids.parse(arm_id)
        for level in range(len(parsed.names) - 1 if parsed else 0, 0, -1):
            self._seed(parsed.ancestor(level) if parsed else "", None)

    def _seed(self, arm_id: str, exchange: dict[str, Any] | None) -> None:
        parsed = ids.parse(arm_id)
        known = parsed and parsed.type_name.lower() in self.azure.registry.types
        if not known or self.azure.store.find(arm_id) is not None:
            return
        own = exchange["response"] if exchange and exchange["method"] == "PUT" else None
        self._insert(arm_id, own or self._recorded_body(arm_id) or self._plain())
        if exchange is not None:
            self._seeded.add(arm_id.lower())

    def _seed_deleted_vault(self, exchange: dict[str, Any]) -> None:
        """A soft-deleted vault that the scenario finds is the one it recovers next."""
        name = exchange["path"].rpartition("/")[2].lower()
        deleted = self.azure.store.state("key_vault.deleted")
        shown = exchange["response"] if "/deletedvaults/" in exchange["path"].lower() else None
        if exchange["status"] != 200 or not shown or name in deleted:
            return
        arm_id = shown["properties"]["vaultId"]
        if self.azure.store.find(arm_id) is None and (body := self._recorded_body(arm_id)):
            now = self.azure.store.now()
            deleted[name] = {"id": arm_id, "body": body, "deleted": now, "purged": now + 1}

    def _seed_lists(self) -> None:
        """What the first list of a collection shows and nobody makes was there before."""
        made = {e["path"].lower() for e in self.exchanges if e["method"] == "PUT"}
        for exchange in self.exchanges:
            items = (exchange["response"] or {}).get("value") or []
            newest_first = "machinelearningservices" in exchange["path"].lower()
            for item in items[::-1] if newest_first else items:
                arm_id = item.get("id", "") if isinstance(item, dict) else ""
                parsed = ids.parse(arm_id) if "properties" in (item or {}) else None
                known = parsed and parsed.type_name.lower() in self.azure.registry.types
                if known and arm_id.lower() not in made and not self.azure.store.find(arm_id):
                    if arm_id.lower().partition("/providers/")[0] not in made:
                        self._seed_group(parsed.subscription, parsed.group)
                    self._seed_parents(arm_id)
                    self._insert(arm_id, item)

    def _plain(self) -> dict[str, Any]:
        """Enough of a parent for its children, where the recorded operations say it is."""
        found = re.search(r"/locations/(\w+)/\w+Operation", json.dumps(self.exchanges))
        return {
            "location": found[1] if found else "eastus",
            "properties": {"workspaceId": "11111111-1111-4111-8111-111111111111"},
        }

    def _insert(self, arm_id: str, body: dict[str, Any]) -> None:
        self.azure.store.insert(arm_id, json.loads(json.dumps(body)))

    def _recorded_body(self, arm_id: str) -> dict[str, Any] | None:
        for method in ("GET", "PUT"):
            for other in self.exchanges:
                body = other["response"]
                same = other["path"].lower() == arm_id.lower() and other["method"] == method
                if same and other["status"] == 200 and isinstance(body, dict):
                    return body
        return None

    def _trivial(self, exchange: dict[str, Any]) -> bool:
        """A GET of what was put in by hand proves nothing."""
        return exchange["method"] == "GET" and exchange["path"].lower() in self._seeded

    # Time

    def _let_time_pass(self, exchange: dict[str, Any], own_url: str | None) -> None:
        if exchange["method"] == "PUT":
            self._seeded.discard(exchange["path"].lower())
        if _still_running(exchange) or exchange["status"] == 409:
            return
        operations = self.azure.verbs.operations
        clock = self.azure.options.clock
        wanted = ids.key(exchange["path"])
        error = (exchange["response"] or {}).get("error") or {}
        if error.get("code") == "ResourceGroupNotFound":
            wanted = ids.key("/".join(exchange["path"].split("/")[:5]))
        for operation in operations.running():
            polled = own_url and operations.find(urlsplit(own_url).path) is operation
            if polled or (operation.target and _related(operation.target, wanted)):
                operations.delay(operation, clock.now() - operation.due)

    # What came back

    def _compare(
        self, exchange: dict[str, Any], status: int, headers: dict[str, str], body: Any
    ) -> None:
        self.compared += 1
        about = f"{exchange['method']} {_type_of(exchange['path'])}"
        if status != exchange["status"]:
            answered = (status, body if status >= 400 else None)
            self._differ(exchange, f"{about} status", exchange["status"], answered)
            return
        for name in ASYNC_HEADERS:
            recorded, own = (style(name, h.get(name)) for h in (exchange["headers"], headers))
            if recorded != own:
                self._differ(exchange, f"{about} header {name}", recorded, own)
        for place, recorded, own in differing(_recorded_json(exchange["response"]), body):
            self._differ(exchange, f"{about} {place or '/'}", recorded, own)

    def _differ(self, exchange: dict[str, Any], where: str, recorded: Any, own: Any) -> None:
        self.differences.append(Difference(self.scenario, exchange["seq"], where, recorded, own))


def _decoded(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return {"_nonjson": text}


def _related(one: str, other: str) -> bool:
    """Whether one key is the other's, or lies above it."""
    return (other + "/").startswith(one + "/") or (one + "/").startswith(other + "/")


def _still_running(exchange: dict[str, Any]) -> bool:
    if exchange["status"] == 202 and exchange["method"] == "GET":
        return True
    body = exchange["response"]
    if not isinstance(body, dict) or exchange["method"] != "GET":
        return False
    state = body.get("status") or (body.get("properties") or {}).get("provisioningState")
    return isinstance(state, str) and state not in TERMINAL


def _url_key(path: str, query: str) -> tuple[str, str]:
    """The path, and which of two operation URLs with one path it is."""
    asked = dict(parse_qsl(query))
    return path.lower(), asked.get("type", asked.get("operationResultResponseType", ""))


def _type_of(path: str) -> str:
    tail = path.rpartition("/providers/")[2] if "/providers/" in path else "resourceGroups/x"
    words = tail.split("/")
    return "/".join([words[0], *words[1::2]])


def _recorded_json(body: Any) -> Any:
    return None if isinstance(body, dict) and "_nonjson" in body else body


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 160 else text[:157] + "..."


def _in_order(exchanges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A slow PUT is recorded behind the GETs that saw its work already: it goes before them."""
    ordered: list[dict[str, Any]] = []
    for exchange in exchanges:
        at = len(ordered)
        if exchange["method"] == "PUT":
            while (
                at
                and ordered[at - 1]["path"] == exchange["path"]
                and _still_running(ordered[at - 1])
            ):
                at -= 1
        ordered.insert(at, exchange)
    return ordered


def scenarios(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every recording, by name."""
    return {
        path.stem: _in_order([json.loads(line) for line in path.read_text("utf-8").splitlines()])
        for path in sorted(folder.glob("*.jsonl"))
    }


async def replay(scenario: str, exchanges: list[dict[str, Any]]) -> Replay:
    """Run one scenario against an emulator of its own."""
    clock = StandingClock()
    async with (
        EmulatedAzure(
            clock=clock,
            time_scale=1.0,
            rate_limits=False,
            subscriptions=SUBSCRIPTIONS,
            # Recordings name storage, vaults and clusters that they do not show being made.
            settings={"machine_learning.check_dependencies": False},
        ) as azure,
        aiohttp.ClientSession() as session,
    ):
        run = Replay(scenario, exchanges, azure, session)
        await run.run()
        return run
