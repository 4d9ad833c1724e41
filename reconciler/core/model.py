"""The words of the reconciler: key, resource, observed, change, step, plan, outcome, run."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Literal

type Json = Any
type Properties = Mapping[str, Any]
type Path = tuple[str | int, ...]


class Marker(Enum):
    """Values that no spec can write."""

    ABSENT = "absent"
    """Not there: neither declared nor returned."""
    UNKNOWN = "known after apply"
    """Depends on a resource that does not exist yet."""

    def __repr__(self) -> str:
        return self.name


ABSENT: Final = Marker.ABSENT
UNKNOWN: Final = Marker.UNKNOWN
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

MAPPINGS: Final = (dict, Mapping)
"""For ``isinstance`` where it is asked a million times: an abstract class alone answers slowly."""


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """Who a resource is: the same in a spec, a plan, a comment and a log line."""

    kind: str
    path: tuple[str, ...]
    """Parents first: ``("contoso-ai", "chat")``."""

    @property
    def name(self) -> str:
        return "/".join(self.path)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Undo ``str(key)``."""
        kind, *path = text.split("/")
        return cls(kind, tuple(path))


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by name; its value is read when a request is sent and never kept.

    One of three sources: a Key Vault secret (``vault`` is the vault's ARM id), a setting of the
    process (``RECONCILER_SECRET_<setting>``), or a key of another resource (``keys_of`` is its
    ARM id, ``name`` the field of its key listing such as ``primaryKey``).
    """

    name: str = ""
    vault: str = ""
    setting: str = ""
    keys_of: str = ""
    version: str = ""

    def __str__(self) -> str:
        if self.setting:
            return f"(secret setting {self.setting})"
        return f"(secret {(self.vault or self.keys_of).rpartition('/')[2]}/{self.name})"


@dataclass(frozen=True, slots=True)
class Ref:
    """A value of another resource, read when it is needed: ``path`` is dotted, in Azure's words."""

    key: Key
    path: str

    def __str__(self) -> str:
        return f"(known after apply: {self.key} {self.path})"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What the engine may do with a resource; never sent to Azure."""

    deletion: Literal["retain", "delete"] | None = None
    """None: as the kind says (kinds that hold data are retained)."""
    protect: bool = False
    ignore: tuple[Path, ...] = ()
    """Paths inside ``spec`` that are left to others."""
    soft_deleted: Literal["restore", "purge"] | None = None
    """What to do when a soft-deleted resource holds the name; None: ask."""


@dataclass(frozen=True, slots=True)
class Verify:
    """A smoke test: ``request`` is sent to the applied resource, ``expect`` says what must come."""

    request: Properties
    status: int = 200
    path: str = ""
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing a spec asks for. References by name are resolved to ARM ids already."""

    key: Key
    arm_id: str
    """Where it lives. Empty when the name follows from its content (role assignments)."""
    api_version: str
    properties: Properties
    """In the spec's shape: ARM's names, ``properties`` flattened in; may hold Secret and Ref."""
    needs: frozenset[Key] = frozenset()
    source: str = ""
    """``specs/models/chat.yaml:3``: where its document starts."""
    lifecycle: Lifecycle = Lifecycle()
    verify: Verify | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """One thing as Azure last described it, in the spec's shape."""

    arm_id: str
    properties: Properties
    kind: str = ""
    """The kind it was read as."""
    state: str = "Succeeded"
    """ARM's ``provisioningState``; everything but Succeeded, Failed, Canceled is in flight."""
    outputs: Properties = NOTHING
    """Read-only values that a ``ref`` may name, by dotted path."""

    @property
    def settled(self) -> bool:
        return self.state in ("Succeeded", "Failed", "Canceled", "Disabled")


@dataclass(frozen=True, slots=True)
class Target:
    """One resource at Azure."""

    kind: str
    arm_id: str
    api_version: str


@dataclass(frozen=True, slots=True, order=True)
class Collection:
    """All resources of some kinds below one parent, read with one (paged) request."""

    url: str
    """Path below the ARM endpoint, without query: ``/subscriptions/…/accounts/a/deployments``."""
    api_version: str
    kinds: tuple[str, ...]
    """Kinds that live there; their ``fixed`` fields tell which one a resource is."""
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Owned:
    """A resource that the reconciler created or adopted, and what it last applied there."""

    key: Key
    arm_id: str
    api_version: str
    applied: Properties
    """The declared properties of the last apply; secrets and refs in their written form."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Keyed digest of the secret version last sent, by dotted path."""
    needs: frozenset[Key] = frozenset()
    """What it referred to: it is deleted before them."""
    deletion: Literal["retain", "delete"] | None = None
    protect: bool = False
    untested: bool = False
    """A write was begun whose smoke test has not passed yet."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs: ``before`` as Azure has it, ``after`` as the spec wants it."""

    path: Path
    before: Json
    after: Json
    replaces: bool = False
    """The field cannot change in place."""

    @property
    def name(self) -> str:
        return dotted(self.path)


type Action = Literal["create", "update", "replace", "delete"]

DANGEROUS: Final = frozenset({"delete", "replace"})

type Danger = tuple[str, Key, str]
"""Action, resource and its lower-cased ARM id: one name may mean another resource tomorrow."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that will not be as it is now: for people."""

    action: Action
    key: Key
    arm_id: str
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""
    source: str = ""


type Verb = Literal["put", "delete", "purge"]


@dataclass(frozen=True, slots=True)
class Step:
    """One request to Azure: for the engine."""

    id: str
    verb: Verb
    key: Key
    arm_id: str
    api_version: str
    body: Properties = NOTHING
    """In the spec's shape, as it will be after the request; may hold Secret and Ref."""
    after: frozenset[str] = frozenset()
    """Ids of the steps that must be done before."""
    lock: str = ""
    """Steps with the same lock are sent one at a time (an account, an endpoint)."""
    seen: str | None = None
    """Digest of what differed when planned; "" when it did not exist; None: not checked."""
    compare: frozenset[str] | None = None
    """The top-level fields this step is answerable for; None: all."""


type Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, order=True, slots=True)
class Check:
    """A remark about a plan: an error blocks it."""

    level: Level
    rule: str
    message: str
    source: str = ""
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying would do, as values: shown, digested, saved, run."""

    environment: str
    commit: str
    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    checks: tuple[Check, ...] = ()
    unchanged: int = 0
    unmanaged: tuple[Key, ...] = ()
    adopted: tuple[Key, ...] = ()
    """Declared, found as declared, and from the next apply on owned."""
    resources: tuple[Resource, ...] = ()
    """What the steps are about, and what these refer to: a saved plan can be run on its own."""
    reads: int = 0

    @property
    def digest(self) -> str:
        """What a reviewer approves: the changes, whatever commit or moment they come from."""
        return digest_of([change_json(change) for change in self.changes])

    @property
    def summary(self) -> dict[str, int]:
        count = {"create": 0, "update": 0, "replace": 0, "delete": 0}
        for change in self.changes:
            count[change.action] += 1
        return {**count, "unchanged": self.unchanged, "unmanaged": len(self.unmanaged)}

    @property
    def dangerous(self) -> frozenset[Danger]:
        """Every delete and replace."""
        return frozenset(
            (c.action, c.key, c.arm_id.lower()) for c in self.changes if c.action in DANGEROUS
        )

    @property
    def blocked(self) -> bool:
        return any(check.level == "error" for check in self.checks)


type State = Literal["started", "waiting", "done", "failed", "held"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one step stands. ``held``: not tried, because something it needs failed."""

    state: State
    detail: str = ""
    started_at: str = ""
    ended_at: str = ""
    request_id: str = ""
    endpoint: str = ""
    """Where what was made can be called."""

    @property
    def ended(self) -> bool:
        return self.state in ("done", "failed", "held")


type Mode = Literal["plan", "apply"]

type RunState = Literal[
    "queued",
    "running",
    "cancelling",
    "done",
    "failed",
    "stale",
    "refused",
    "superseded",
    "cancelled",
]

OPEN: Final = frozenset({"queued", "running", "cancelling"})
"""States of a run that has not ended."""


@dataclass(frozen=True, slots=True)
class Run:
    """A plan and how far it has got. While it is queued its plan is empty, or was refused."""

    id: str
    plan: Plan
    requested_by: str = ""
    created_at: str = ""
    ended_at: str = ""
    state: RunState = "running"
    detail: str = ""
    mode: Mode = "apply"
    only: tuple[str, ...] = ()
    """``Kind/name`` patterns that it is limited to; none: everything."""
    allow: str = ""
    """Digest of a plan that a person allowed by name."""
    pulls: tuple[int, ...] = ()
    """The pull requests that are told how it goes."""
    pull: int = 0
    """The one that it applies before it is merged; 0: it applies the branch."""
    seen: str = ""
    """The plan run that whoever asked for this had seen."""
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)

    def record(self, step_id: str, outcome: Outcome) -> "Run":
        return replace(self, outcomes={**self.outcomes, step_id: outcome})

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def header(self) -> "RunHeader":
        return RunHeader(
            id=self.id,
            environment=self.plan.environment,
            mode=self.mode,
            commit=self.plan.commit,
            digest=self.plan.digest,
            summary=self.plan.summary,
            requested_by=self.requested_by,
            created_at=self.created_at,
            ended_at=self.ended_at,
            state=self.state,
            detail=self.detail,
            pull=self.pull,
        )


@dataclass(frozen=True, slots=True)
class RunHeader:
    """A run in a line: what a list of runs shows, without its plan and journal."""

    id: str
    environment: str
    mode: Mode
    commit: str
    digest: str
    summary: Mapping[str, int]
    requested_by: str
    created_at: str
    ended_at: str
    state: RunState
    detail: str
    pull: int = 0

    @property
    def open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of an environment between runs."""

    environment: str
    applied_commit: str = ""
    """The commit of the last apply that ended well."""
    applied_at: str = ""
    tried_commit: str = ""
    """The commit of the last apply, however it ended."""
    failures: int = 0
    """Applies of ``tried_commit`` that failed one after the other."""
    retry_at: str = ""
    """Not tried again by itself before this moment; "never": not until the commit changes."""
    checked_at: str = ""
    """When Azure was last compared with the specs."""
    drift: int = 0
    """How many changes that comparison found."""
    behind_since: str = ""
    """When it was first noticed to be otherwise than the specs; "": as they say."""
    last_run: str = ""
    issue: bool = False
    """An issue on the forge may say that it differs from its specs."""
    held_by: int = 0
    """The open pull request that was applied here before its merge: no other is until it is merged,
    closed or unlocked."""


def dotted(path: Path) -> str:
    """``("sku", "capacity")`` → ``sku.capacity``; list places in brackets."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def digest_of(value: Json, length: int = 8) -> str:
    """A short, stable name for a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=written)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def written(value: Json) -> Json:
    """Markers, secrets and refs as JSON: for digests, files and people; never a secret's value."""
    if isinstance(value, Marker):
        return {"$": value.name.lower()}
    if isinstance(value, Secret):
        return {"$secret": {k: getattr(value, k) for k in SECRET_FIELDS if getattr(value, k)}}
    if isinstance(value, Ref):
        return {"$ref": str(value.key), "path": value.path}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


SECRET_FIELDS: Final = ("name", "vault", "setting", "keys_of", "version")


def read_written(value: Json) -> Json:
    """Undo :func:`written`, everywhere inside ``value``."""
    if isinstance(value, dict):
        # Whole shapes: a JSON schema in somebody's body may well have a member called "$ref".
        if value.keys() == {"$secret"}:
            return Secret(**value["$secret"])
        if value.keys() == {"$ref", "path"}:
            return Ref(Key.parse(value["$ref"]), value["path"])
        if value.keys() == {"$"}:
            return Marker[value["$"].upper()]
        return {name: read_written(item) for name, item in value.items()}
    if isinstance(value, list):
        return [read_written(item) for item in value]
    return value


def change_json(change: Change) -> dict[str, Json]:
    """A change as the plan's JSON shows it."""
    return {
        "action": change.action,
        "kind": change.key.kind,
        "name": change.key.name,
        "armId": change.arm_id,
        "fields": [field_json(one) for one in change.fields],
        "reason": change.reason,
    }


def field_json(change: FieldChange) -> dict[str, Json]:
    return {"path": change.name, "before": shown(change.before), "after": shown(change.after)}


def shown(value: Json) -> Json:
    """A value as people and JSON see it: markers, secrets and refs as words."""
    if value is ABSENT:
        return None
    if value is UNKNOWN:
        return "(known after apply)"
    if isinstance(value, Secret | Ref):
        return str(value)
    if isinstance(value, Mapping):
        return {name: shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return value


def walk(value: Json, path: Path = ()) -> Iterable[tuple[Path, Json]]:
    """Every leaf of a value, with its path; Secret and Ref are leaves."""
    if isinstance(value, MAPPINGS):
        for name, item in value.items():
            yield from walk(item, (*path, name))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from walk(item, (*path, place))
    else:
        yield path, value
