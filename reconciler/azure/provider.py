"""Azure as the engine sees it: every verb of ``ports.Provider`` over one client."""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

from reconciler.azure import operation as lro
from reconciler.azure.answer import Answer
from reconciler.azure.client import Client
from reconciler.azure.errors import missing, refusal
from reconciler.azure.recent import Recent
from reconciler.azure.secrets import SecretReader
from reconciler.azure.verify import Verifier
from reconciler.core.arm import names_of, resource_group_of, subscription_of
from reconciler.core.body import kind_of, member, observed, to_body
from reconciler.core.errors import Permanent, ReconcilerError
from reconciler.core.kinds import KINDS, Kind
from reconciler.core.model import Collection, Observed, Properties, Secret, Target, Verify
from reconciler.ports import Operation, Stopping, never

log = logging.getLogger(__name__)

OK: Final = frozenset({200, 201, 202, 204})
MOST_PAGES: Final = 10_000
VERBS: Final = {"put": "create or update", "delete": "delete", "purge": "purge"}


class ArmProvider:
    """``ports.Provider`` over Azure Resource Manager."""

    def __init__(self, client: Client, kinds: Mapping[str, Kind] = KINDS) -> None:
        self._client, self._kinds = client, kinds
        self._endpoint = client.endpoint
        self._recent = Recent(client.clock, client.settings.patience_s)
        self._secrets = SecretReader(client, kinds, self._recent)
        self._verifier = Verifier(client, kinds, self.read)

    async def close(self) -> None:
        await self._client.close()

    async def observe(self, collection: Collection) -> list[Observed]:
        kinds = tuple(self._kinds[name] for name in collection.kinds)
        url = self._endpoint.url(collection.url, collection.api_version, collection.query)
        found: list[Observed] = []
        async for item in self._items(url, f"list {collection.url}"):
            kind = kind_of(kinds, item)
            if kind is not None and not kind.foreign(item):
                body = {**item, "id": _id_in(collection.url, item)}
                found.append(observed(kind, body, collection.api_version))
        return found

    async def query(self, url: str, api_version: str) -> list[Mapping[str, Any]]:
        target = self._endpoint.url(url, api_version)
        return [item async for item in self._items(target, f"list {url.partition('?')[0]}")]

    async def read(self, target: Target) -> Observed | None:
        attempt = self._words("read", target)
        url = self._endpoint.url(target.arm_id, target.api_version)
        answer = await self._recent.settle(
            lambda: self._client.arm("GET", url, attempt), (target.arm_id,), attempt
        )
        if missing(answer):
            return None
        if answer.status != 200 or not isinstance(answer.body, Mapping):
            raise self._refusal(attempt, answer)
        body = {**answer.body, "id": target.arm_id}
        return observed(self._kinds[target.kind], body, target.api_version)

    async def put(
        self, target: Target, properties: Properties, stop: Stopping = never
    ) -> Operation:
        attempt = self._words("put", target)
        url = self._endpoint.url(target.arm_id, target.api_version)
        body = await self._secrets.resolve(to_body(self._kinds[target.kind], properties))
        answer = await self._recent.settle(
            lambda: self._client.arm("PUT", url, attempt, body, stop),
            self._recent.parents(target.arm_id),
            attempt,
        )
        if answer.status not in OK:
            raise self._refusal(attempt, answer)
        self._recent.wrote(target.arm_id)
        return self._begun(target, "put", answer)

    async def delete(self, target: Target, stop: Stopping = never) -> Operation:
        kind = self._kinds[target.kind]
        url = self._endpoint.url(target.arm_id, target.api_version, kind.delete_query)
        self._recent.deleted(target.arm_id)
        return await self._remove("delete", "DELETE", target, url, stop)

    async def purge(self, target: Target, location: str, stop: Stopping = never) -> Operation:
        soft = self._kinds[target.kind].soft_delete
        if soft is None:
            raise Permanent(f"{self._kinds[target.kind].title} has no soft delete to purge from")
        path = soft.purge_url.format(
            subscription=subscription_of(target.arm_id),
            location=location,
            resourceGroup=resource_group_of(target.arm_id),
            name=names_of(target.arm_id)[-1],
        )
        url = self._endpoint.url(path, target.api_version)
        return await self._remove("purge", soft.purge_verb, target, url, stop)

    async def poll(self, operation: Operation) -> Operation:
        if operation.done:
            return operation
        attempt = self._words(operation.verb, operation.target)
        if operation.poll_style == "resource":
            return await self._poll_resource(operation, attempt)
        url = self._endpoint.follow(operation.poll_url)
        answer = await self._client.arm("GET", url, f"see how far it is to {attempt}")
        if answer.status in (404, 410):
            # Status links expire; what they spoke of can still be seen.
            return lro.ask_the_resource(operation)
        if answer.status not in OK:
            raise self._refusal(f"see how far it is to {attempt}", answer)
        now = self._client.clock.now()
        after = lro.advanced(operation, answer, attempt, now, self._secrets.known())
        if after.done and after.verb == "put" and self._kinds[after.target.kind].healthy:
            return await self._poll_resource(lro.ask_the_resource(after), attempt)
        return after

    async def secret_versions(self, secrets: Iterable[Secret]) -> Mapping[Secret, str]:
        return await self._secrets.versions(secrets)

    async def verify(self, target: Target, verify: Verify) -> tuple[int, Any]:
        return await self._verifier.run(target, verify)

    async def _remove(
        self, verb: str, method: str, target: Target, url: str, stop: Stopping
    ) -> Operation:
        attempt = self._words(verb, target)
        answer = await self._client.arm(method, url, attempt, stop=stop)
        if missing(answer):
            return Operation(target, verb, done=True, request_id=answer.request_id)
        if answer.status not in OK:
            raise self._refusal(attempt, answer)
        return self._begun(target, verb, answer)

    def _begun(self, target: Target, verb: str, answer: Answer) -> Operation:
        """The operation; a status link to another host is not followed but replaced."""
        operation = lro.begun(target, verb, answer, self._client.clock.now())
        if operation.poll_url:
            try:
                self._endpoint.follow(operation.poll_url)
            except Permanent as refused:
                log.warning("%s: %s", self._words(verb, target), refused)
                return lro.ask_the_resource(operation)
        if operation.done and verb == "put" and self._kinds[target.kind].healthy:
            state = observed(self._kinds[target.kind], answer.body or {}).state
            return operation if state == lro.DONE else lro.ask_the_resource(operation)
        return operation

    async def _poll_resource(self, operation: Operation, attempt: str) -> Operation:
        target = operation.target
        url = self._endpoint.url(target.arm_id, target.api_version)
        answer = await self._client.arm("GET", url, f"see how far it is to {attempt}")
        state: str | None = None
        if answer.status == 200 and isinstance(answer.body, Mapping):
            state = observed(self._kinds[target.kind], answer.body).state
        elif not missing(answer):
            raise self._refusal(f"see how far it is to {attempt}", answer)
        return lro.by_resource(operation, state, attempt)

    async def _items(self, url: str, attempt: str) -> AsyncIterator[Mapping[str, Any]]:
        """Every item of a listing, page after page; nothing when its parent is not there.

        Half a listing is an error: what it left out would look deleted.
        """
        seen: set[str] = set()
        while url and url not in seen and len(seen) < MOST_PAGES:
            seen.add(url)
            answer = await self._client.arm("GET", url, attempt)
            if missing(answer) and len(seen) == 1:
                return
            items = member(answer.body, "value", None)
            if answer.status != 200 or not isinstance(items, list):
                raise self._refusal(attempt, answer)
            for item in items:
                if isinstance(item, Mapping):
                    yield item
            link = member(answer.body, "nextLink", None)
            url = self._endpoint.follow(link) if isinstance(link, str) and link else ""
        if url:
            raise Permanent(f"It was not possible to {attempt}: its pages lead in a circle")

    def _words(self, verb: str, target: Target) -> str:
        title = self._kinds[target.kind].title
        return f"{VERBS.get(verb, verb)} {title} {'/'.join(names_of(target.arm_id))}"

    def _refusal(self, attempt: str, answer: Answer) -> ReconcilerError:
        if answer.status in OK:
            return Permanent(f"Azure's answer when asked to {attempt} was not understood")
        wait = answer.retry_after_s(self._client.clock.now())
        return refusal(attempt, answer, wait, self._secrets.known())


def _id_in(collection: str, item: Mapping[str, Any]) -> str:
    """The id of a listed resource. Services answer another last type now and then
    (``linkedaccounts`` for ``connections``), so below its own collection the name decides."""
    said = str(item.get("id") or "")
    above, _, name = said.rpartition("/")
    parent = collection.rpartition("/")[0]
    misnamed = above.lower() != collection.lower()
    if misnamed and above.rpartition("/")[0].lower() == parent.lower():
        return f"{collection}/{name}"
    return said
