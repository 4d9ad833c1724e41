"""What a kind is: everything the engine must know of a type of resource, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from reconciler.core.model import Properties
from reconciler.core.schema import Field, Names, Object, Variant

ENVELOPE = frozenset({"location", "kind", "sku", "identity", "tags"})
"""Fields of an ARM body that stand beside ``properties``, not inside."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a kind can live: the spec field that names the parent, and the ARM type there."""

    field: str
    """``account`` for a model deployment; "" for a subscription-level type."""
    parent: str
    """The parent's kind, ``Account``; "" when any ARM id may stand there (a scope)."""
    arm_type: str
    """When it is more than one level below the parent's type, a name has as many parts, with
    colons between: ``vllm:3`` is ``…/environments/vllm/versions/3``."""
    api_version: str


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How a smoke test reaches the applied resource.

    ``url`` is a template over ``name``, ``parent.<output>`` and the resource's own outputs;
    ``audience`` is the Entra scope of its token, or "" to use ``keys`` (an ARM key-listing action
    and the field to take).
    """

    url: str
    audience: str = ""
    keys: tuple[str, str] = ("", "")
    modes: Mapping[str, "Probe"] = field(default_factory=dict)
    """Other ways in, by the value of the resource's ``authMode``."""

    def way_in(self, properties: Properties) -> "Probe":
        """The probe for a resource with these properties."""
        return self.modes.get(str(properties.get("authMode", "")), self)


@dataclass(frozen=True, kw_only=True)
class SoftDelete:
    """How to get a soft-deleted resource back, and where Azure lists them."""

    restore: Mapping[str, Any]
    """The fields that bring it back: ``{"restore": True}``."""
    whole: bool
    """True: sent together with all declared fields; False: alone, with the location."""
    list_url: str
    """The subscription-level listing, below ``/subscriptions/{id}``."""
    purge_url: str
    """Template over ``subscription``, ``location``, ``resourceGroup``, ``name``."""
    purge_verb: str = "DELETE"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Which deployments share a quota: equal values of ``pool`` in one region."""

    pool: tuple[str, ...]
    """Dotted paths in the spec: ``("sku.name", "model.format", "model.name")``."""
    amount: str
    """Dotted path of what is taken from the pool: ``sku.capacity``."""


type Document = Mapping[str, Any]
"""A parsed YAML document: apiVersion, kind, metadata, spec, lifecycle, verify."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A field of a document that stands for a resource of its own (marketplace terms, keys)."""

    field: str
    shape: Field
    make: Callable[[Document], Document]
    """The owner's document, as written → the part's document."""
    first: bool = False
    """The owner needs it; otherwise it needs the owner."""
    each: bool = False
    """The field is a list and every item stands for a resource: ``make`` is called once for each,
    with the owner's document holding that one item in the field's place."""


def never(body: Mapping[str, Any]) -> bool:
    return False


def as_is(properties: Properties) -> Properties:
    return properties


def as_written(properties: Properties, subscription: str) -> Properties:
    return properties


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type of resource."""

    name: str
    """As specs spell it: ``ModelDeployment``."""
    title: str
    """As the portal calls it: ``Model deployment``."""
    places: tuple[Place, ...]
    names: Names = field(default_factory=Names)
    fields: Mapping[str, Field]
    """The spec's fields, without the one that names the parent."""
    by: str = ""
    """The field whose value decides about further fields (``authType`` of a connection)."""
    cases: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    """Those further fields, by that value; they stand inside ``properties``."""
    envelope: frozenset[str] = ENVELOPE
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Top-level body fields that are always the same, and that tell kinds of one ARM type apart
    (``{"kind": "Hub"}``); an absent one in ``places`` order means the first kind."""
    verbatim: str = ""
    """The field that holds the ARM body just as it is sent (the escape hatch); "" for kinds whose
    fields are spread over the body's top level and its ``properties``."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Read-only values a ``ref`` may name: dotted path in the ARM body → what it is."""
    endpoint: str = ""
    """The output that says where it can be called, where there is one."""
    fleeting: frozenset[str] = frozenset()
    """Those of the outputs that every write changes."""

    holds_data: bool = False
    """Deleting it loses data: never deleted without ``lifecycle.deletion: delete``."""
    deletable: bool = True
    """False where ARM has no DELETE for it."""
    delete_query: Mapping[str, str] = field(default_factory=dict)
    listed: bool = True
    """Read by listing its collection; False: read one by one (a listing would be too wide)."""
    list_query: Mapping[str, str] = field(default_factory=dict)
    report_unmanaged: bool = True
    """Resources of the collection that no spec names are worth telling people about."""
    foreign: Callable[[Mapping[str, Any]], bool] = never
    """True for an ARM body that belongs to the service itself (system policies): never listed as
    unmanaged, never deleted."""
    lock: str = ""
    """ARM type of the ancestor (or itself) that takes one write at a time."""
    deferred: frozenset[str] = frozenset()
    """Fields that name children, sent only once these exist, and before any child is deleted."""
    side_by_side: bool = False
    """A replace can put the new one beside the old one before removing it."""
    identity: tuple[str, ...] = ()
    """Fields whose content makes the name (role assignments): the name is a UUID over them."""
    soft_delete: SoftDelete | None = None
    """Set where a deleted resource keeps its name for a while."""
    quota: Quota | None = None
    healthy: Mapping[str, str] = field(default_factory=dict)
    """Further read-only properties that must have a value before a resource counts as done."""
    canonical: Callable[[Properties], Properties] = as_is
    """Undo rewrites of Azure that no shape can express. Applied to what Azure returned."""
    prepare: Callable[[Properties, str], Properties] = as_written
    """Turn what is easy to write into what Azure wants (a role's name into its id), given the
    environment's subscription id: from a spec as written to a spec as written, before it is
    validated and before names and refs in it are resolved. Raises ValueError with a sentence for
    the author."""
    initial: Mapping[str, Any] = field(default_factory=dict)
    """What a new resource is created with where its spec is silent, because the service demands
    it. Not declared, so never compared: what is there already may be otherwise."""
    parts: tuple[Part, ...] = ()
    probe: Probe | None = None
    typical_s: float = 5.0
    """How long creating one usually takes, in seconds: orders work, promises nothing."""
    doc: str = ""

    @property
    def arm_type(self) -> str:
        return self.places[0].arm_type

    @cached_property
    def shape(self) -> Object | Variant:
        if self.by:
            return Variant(by=self.by, common=self.fields, cases=self.cases)
        return Object(fields=self.fields)
