"""The words providers are written in: resource types as data, and what their hooks may use.

A provider module describes its types with `ResourceType`, what lies outside the resource tree
(usages, deleted things, availability checks) with `Route`, and its data plane with `DataRoute`,
and offers all of them as one `PROVIDER`. Paging, locks, operations, errors, throttling and
authentication are the framework's. Hooks get a `Context` and plain dictionaries; a hook refuses
a request by raising `ArmError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol
from urllib.parse import quote

JSON = dict[str, Any]
TERMINAL = frozenset({"Succeeded", "Failed", "Canceled"})


class ArmError(Exception):
    """A refusal as Azure Resource Manager words it.

    `cause` is what the header `x-ms-failure-cause` says: "gateway" for ARM itself, "service" for
    the provider. `body` replaces the standard envelope for providers that have their own; `empty`
    is for those that answer nothing but the status.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        cause: Literal["gateway", "service"] = "service",
        body: JSON | None = None,
        headers: Mapping[str, str] | None = None,
        empty: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.cause = status, code, message, cause
        standard = {"error": {"code": code, "message": message, **more}}
        self.body: JSON | None = None if empty else body or standard
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class ResourceId:
    """An ARM id cut into its parts; `names` and `types` run in parallel, parents first."""

    text: str
    scope: str  # what stands before the last "/providers/", "" for a tenant-level id
    subscription: str
    group: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]  # one shorter than `types` when the id is a collection's

    @property
    def is_collection(self) -> bool:
        return len(self.names) < len(self.types)

    @property
    def type_name(self) -> str:
        return "/".join((self.namespace, *self.types))

    @property
    def name(self) -> str:
        return self.names[-1]

    def ancestor(self, levels: int) -> str:
        """The id `levels` type/name pairs up, in the spelling of this one."""
        return self.text.rsplit("/", 2 * levels)[0]


@dataclass(slots=True)
class Resource:
    """One stored resource. Change `body` freely, then call `changed()`."""

    type: ResourceType
    id: str
    body: JSON  # what a GET answers, with id, name, type and properties.provisioningState
    secret: JSON = field(default_factory=dict)  # write-only values and keys: never answered
    created: float = 0.0  # the emulator's clock, seconds
    operation: str = ""  # id of the operation that is running on it, "" when none is
    encoded: bytes | None = None

    @property
    def properties(self) -> JSON:
        found: JSON = self.body.setdefault("properties", {})
        return found

    @property
    def name(self) -> str:
        """The last segment of the id (`body["name"]` may say more)."""
        return self.id.rsplit("/", 1)[1]

    @property
    def state(self) -> str:
        return str((self.body.get("properties") or {}).get("provisioningState", "Succeeded"))

    @property
    def settled(self) -> bool:
        return self.state in TERMINAL

    def changed(self) -> None:
        """Forget the cached text."""
        self.encoded = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `body` is encoded as JSON; None is no body, `NULL` the literal null.

    Bytes are sent as they are (JSON unless the headers say otherwise).
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


NULL: Any = type("Null", (), {"__repr__": lambda _: "NULL"})()


@dataclass(frozen=True, kw_only=True)
class AsyncStyle:
    """How a long-running operation is announced and polled.

    URL templates know {subscription} {group} {namespace} {location} {operation} {api_version}
    and {resource} (the id of the resource); the base URL goes in front and the signature
    (t, c, s, h) behind. With neither URL only `provisioningState` shows that work is going on.
    """

    status_url: str | None = None  # Azure-AsyncOperation
    location_url: str | None = None  # Location
    location_is_resource: bool = False  # Location is the resource's own URL, unsigned
    operation_name: Callable[[Context], str] | None = None  # a GUID when None
    place: Callable[[Context], str] | None = None  # {location}; the resource's own when None
    retry_after_s: int | None = None
    poll_retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # e.g. x-ms-async-operation-timeout
    running_words: Mapping[str, str] = field(default_factory=dict)  # by "create|update|delete"
    status_body: Callable[[Operation], JSON] | None = None  # the standard body when None
    location_again: bool = True  # a poll that answers 202 repeats the URL
    location_running: int = 202
    location_running_body: Literal["none", "operation"] = "none"
    location_done: int = 200
    location_done_body: Literal["none", "operation", "resource"] = "none"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a verb answers at once, and what happens behind it.

    Without `wait` the request itself takes `duration_s`; with it the operation does. Both are
    multiplied by the emulator's time scale.
    """

    created: int = 200  # status when it made the resource
    updated: int = 200  # status when it changed, deleted or patched one
    body: Literal["resource", "none", "null"] = "resource"
    updated_body: Literal["resource", "none", "null"] | None = None  # when it is another one
    headers: Mapping[str, str] = field(default_factory=dict)
    # Templates, as in AsyncStyle and with {base_url} and {more} (the rest of the query), only for
    # an answer that says 201.
    created_headers: Mapping[str, str] = field(default_factory=dict)
    wait: AsyncStyle | None = None
    wait_on_update: bool = True
    at_once: Callable[[Context, JSON], bool] | None = None  # True: this one needs no waiting
    at_once_status: int | None = None  # what is answered then, when it differs
    duration_s: float = 0.0
    creating: str = "Creating"  # provisioningState while it runs
    updating: str = "Updating"
    absent: int | None = 204  # DELETE of what does not exist; None: the type's not-found error


@dataclass(slots=True)
class Operation:
    """A long-running operation; `status` is the word a poll answers."""

    id: str
    verb: Literal["create", "update", "delete", "action"]
    style: AsyncStyle
    target: str  # lower-cased id of the resource, "" when there is none
    lock: str  # lower-cased id that stays locked while it runs
    status: str
    started: float
    due: float
    path: str  # where it is polled, lower case, without the query
    location_path: str
    query: str  # verbatim, with the signature
    location_query: str
    url: str = ""  # the status path as it was spelt
    location_url: str = ""  # the whole Location
    ended: float | None = None
    error: JSON | None = None
    fail_with: JSON | None = None  # the error it will end with (fault injection)
    final_state: str = "Succeeded"

    @property
    def running(self) -> bool:
        return self.ended is None


class Cloud(Protocol):
    """What hooks may ask of the emulated Azure as a whole."""

    base_url: str
    tenant: str
    settings: Mapping[str, Any]

    def now(self) -> float:
        """Seconds since 1970 on the emulator's clock."""

    def find(self, arm_id: str) -> Resource | None:
        """The resource with that id, in any case."""

    def children(self, arm_id: str, collection: str) -> Iterable[Resource]:
        """Direct children, e.g. `children(account_id, "deployments")`."""

    def within(self, arm_id: str) -> list[Resource]:
        """Everything below an id, however deep."""

    def of_type(self, type_name: str, subscription: str | None = None) -> Iterable[Resource]:
        """All resources of a type (any case), of one subscription or of all."""

    def insert(self, arm_id: str, body: JSON, secret: JSON | None = None) -> Resource:
        """Store a resource as given, with id, name, type (and state) filled in; no hooks run."""

    def remove(self, arm_id: str) -> None:
        """Forget a resource and what is below it; no hooks run."""

    def state(self, name: str) -> dict[str, Any]:
        """A provider's own JSON dictionary (deleted vaults, keys …); saved with the rest."""

    def memo(self, type_name: str) -> dict[str, Any]:
        """Scratch space; emptied when a resource of the type is inserted or removed."""

    def guid(self) -> str:
        """A new GUID from the seeded generator."""

    def hex(self, digits: int) -> str:
        """New lower-case hexadecimal digits."""


@dataclass(slots=True)
class Context:
    """One request as hooks see it."""

    cloud: Cloud
    id: ResourceId
    type: ResourceType | None
    method: str
    api_version: str
    query: Mapping[str, str]
    client_id: str
    principal_id: str
    existing: Resource | None = None
    start: Callable[..., dict[str, str]] = lambda *_, **__: {}
    spoilers: tuple[Callable[[Operation], float], ...] = ()  # faults for what this request begins
    memo: JSON = field(default_factory=dict)  # what one hook leaves for the next of a request

    # `start(style, duration_s, verb="action", target=None, location="")` begins an operation and
    # returns the headers to answer with; for actions and routes. What the operation does should
    # be done at once by the caller, or by the type's `settled` hook when it has a target.

    @property
    def parent(self) -> Resource | None:
        """The resource one level up, None at the top."""
        return self.cloud.find(self.id.ancestor(1)) if len(self.id.names) > 1 else None

    @property
    def name(self) -> str:
        return self.id.name

    def setting(self, name: str, default: Any) -> Any:
        """A setting of the emulator, for behaviour that is configurable because unverified."""
        return self.cloud.settings.get(name, default)

    def timestamp(self) -> str:
        return timestamp(self.cloud.now())

    def data_url(self, *segments: str) -> str:
        """A data-plane URL on this emulator, with a final slash."""
        return "/".join((self.cloud.base_url, "_data", *(quote(s, safe="") for s in segments), ""))


Action = Callable[[Context, Resource, Any], Reply]


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """A resource type as data. Hooks are optional and get plain JSON.

    Order of a PUT: the parent must exist, `ready`, the lock, `validate`, `complete`; then the
    body is stored with id, name, type, systemData, etag and provisioningState added (by flags).
    """

    name: str  # canonical: "Microsoft.CognitiveServices/accounts/deployments"
    api_versions: tuple[str, ...]
    put: Answer | None = field(default_factory=lambda: Answer(created=201))
    patch: Answer | None = None
    delete: Answer | None = field(default_factory=lambda: Answer(body="none"))
    lock: str | None = None  # ancestor (or own) type on which concurrent writes give 409
    lock_error: Callable[[Context, str], ArmError] | None = None
    ready: Callable[[Context], None] | None = None  # may refuse because of the parent's state
    validate: Callable[[Context, JSON], None] | None = None  # sees ctx.existing; may raise
    complete: Callable[[Context, JSON], JSON] | None = None  # defaults, rewrites; what is stored
    merge: Callable[[Context, JSON], JSON] | None = None  # PATCH: the full body to store
    secret: Callable[[Context, JSON], JSON] | None = None  # what to keep aside as write-only
    settled: Callable[[Context, Resource, str], None] | None = None  # an operation ended (verb)
    before_delete: Callable[[Context, Resource], None] | None = None  # may refuse
    deleted: Callable[[Context, Resource], None] | None = None  # it is gone (soft delete …)
    purge: Callable[[Context], None] | None = None  # DELETE of what is not there (any more)
    present: Callable[[Context, JSON], JSON] | None = None  # per-request view; slow, avoid
    select: Callable[[Context, Iterable[Resource]], Iterable[Resource]] | None = None  # lists
    missing: Callable[[Context], ArmError] | None = None  # GET of what is not there
    actions: Mapping[str, Action] = field(default_factory=dict)  # POST …/name/{action}
    views: Mapping[str, Action] = field(default_factory=dict)  # GET …/name/{view}, e.g. skus
    spell: Callable[[Context], tuple[str, str, str]] | None = None  # id, name, type as answered
    has_state: bool = True  # properties.provisioningState is answered
    has_etag: bool = False  # "etag" in the body and the ETag header
    has_system_data: bool = True
    system_data: tuple[str, ...] = ()  # which members of it; () is all
    tracked: bool = True  # shows up in /resources
    extension: bool = False  # lives below any scope: {scope}/providers/Namespace/type/name
    implicit_parent: bool = False  # a missing parent is made by PUT (ML containers)
    page_size: int | None = None
    page_parameter: str = "$skipToken"
    next_link_at_end: Literal["absent", "null", ""] = "absent"
    locations: tuple[str, ...] = ()  # as listed by the provider; () is everywhere

    @property
    def namespace(self) -> str:
        return self.name.partition("/")[0]

    @property
    def parent_type(self) -> str | None:
        above, _, _ = self.name.rpartition("/")
        return above if "/" in above else None


@dataclass(frozen=True, kw_only=True)
class Route:
    """A path that is not a resource.

    `path` is a template matched without regard to case, e.g.
    "/subscriptions/{subscription}/providers/Microsoft.X/locations/{location}/usages".
    The handler gets the captured segments and the request body.
    """

    method: str
    path: str
    handler: Callable[[Context, Mapping[str, str], Any], Reply]
    api_versions: tuple[str, ...] = ()  # () is every version of the provider


@dataclass(frozen=True, slots=True)
class DataRequest:
    """A data-plane request; the caller's bearer token is already checked."""

    method: str
    segments: tuple[str, ...]  # after /_data/{prefix}/, decoded
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: Any
    audience: str  # of a valid bearer token, "" without one
    client_id: str
    bearer: str  # the raw bearer value, for keys sent that way


@dataclass(frozen=True, kw_only=True)
class DataRoute:
    """A data plane: requests below /_data/{prefix}/ go to `handler`."""

    prefix: str
    handler: Callable[[Cloud, DataRequest], Reply]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """All that one namespace contributes. A module of `providers/` offers it as PROVIDER."""

    namespace: str
    types: tuple[ResourceType, ...]
    routes: tuple[Route, ...] = ()
    data: tuple[DataRoute, ...] = ()


def timestamp(seconds: float) -> str:
    """A time as Azure writes it in bodies: 2026-08-01T12:00:00.1234567Z."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06d}0Z"
