"""``kind: Environment``: a target of the specs, and how they differ there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import translate
from typing import Any, Final, Literal

from reconciler.core.desired.document import check_envelope
from reconciler.core.desired.policy import POLICY, check_policy
from reconciler.core.desired.problems import Origin, Problems
from reconciler.core.desired.validate import Validator
from reconciler.core.desired.yaml_text import Text
from reconciler.core.model import NOTHING, Json, Properties
from reconciler.core.schema import (
    ANY,
    Field,
    anything,
    array,
    boolean,
    described,
    mapping,
    obj,
    required,
    tags,
    text,
)

FOLDER: Final = "environments"

PATCH: Final = obj(
    kind=required(text()),
    name=described("Name of the document, or parent/name.", required(text())),
    metadata=obj(ANY),
    spec=obj(ANY),
    lifecycle=obj(ANY),
    verify=obj(ANY),
    enabled=anything(),
)
ENVIRONMENT: Final[Mapping[str, Field]] = {
    "subscription": described(
        "Id of the Azure subscription.",
        required(text(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")),
    ),
    # https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    "resourceGroup": described(
        "Where resources go that name no group of their own.",
        required(text(pattern=r"^[\w().-]{0,89}[\w()-]$")),
    ),
    "location": described("Region of what names none of its own.", required(text())),
    "include": described(
        "Folders, files or patterns below the specs folder; everything unless told.",
        array(text(shortest=1)),
    ),
    "values": described("Scalars for ${name} in strings.", mapping(anything())),
    "patches": described("Merged onto documents, by kind and name; null removes.", array(PATCH)),
    "tags": described("Added to everything that can carry tags.", tags()),
    "prune": described("Delete what was created here and is declared no more.", boolean()),
    "selfHeal": described(
        "What to do about drift.", text("apply", "report", closed=True, same="exact")
    ),
    "apply": described(
        "When a change is applied.", text("onMerge", "onCommand", closed=True, same="exact")
    ),
    "policy": described("What is asked of what is made here, and of who says so.", POLICY),
    "suspend": described(
        "Plan, but change nothing.",
        obj(
            until=described('An ISO 8601 instant, in quotes: "2026-12-24T18:00:00Z".', text()),
            reason=text(),
        ),
    ),
    "windows": described("When changes may be applied.", array(obj(ANY))),
}
NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Suspension:
    """Nothing is changed ``until`` then (None: until the word is removed)."""

    until: datetime | None = None
    """In UTC."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """A target: where resources go, which documents belong to it, and what differs there."""

    name: str
    subscription: str
    resource_group: str
    location: str
    include: tuple[str, ...] = ()
    """Relative to the specs folder; empty: everything."""
    values: Mapping[str, str | int | float | bool] = NOTHING
    patches: tuple[Properties, ...] = ()
    tags: Mapping[str, str] = NOTHING
    prune: bool = False
    self_heal: Literal["apply", "report"] = "apply"
    policy: Properties = NOTHING
    suspend: Suspension | None = None
    windows: tuple[Properties, ...] = ()
    apply: Literal["onMerge", "onCommand"] = "onMerge"
    source: str = ""
    """``specs/environments/dev.yaml:1``."""
    others: tuple[str, ...] = ()
    """Names of the other environments that the same specs declare."""


def root_of(files: Mapping[str, str]) -> str:
    """The specs folder, as the paths name it: what stands before ``environments/``."""
    roots = [path[: path.index(f"/{FOLDER}/")] for path in files if f"/{FOLDER}/" in path]
    first = min(files, default="")
    return min(roots, key=len) if roots else first.partition("/")[0]


def environment_of(one: Text, problems: Problems) -> Environment | None:
    """The environment a document describes; None, told, when it does not."""
    origin = Origin(one)
    before = len(problems)
    if not check_envelope(one.value, origin, problems):
        return None
    content: dict[str, Json] = one.value
    if content["kind"] != "Environment":
        message = f"only kind: Environment may be in {FOLDER}/, not {content['kind'][:60]}"
        problems.add(origin, ("kind",), message)
        return None
    for name in content.keys() & {"enabled", "lifecycle", "verify"}:
        problems.add(origin, (name,), f"an Environment has no {name}", "key")
    Validator(problems, origin).fields(content["spec"], ENVIRONMENT, ("spec",))
    _check_name(content["metadata"]["name"], origin, problems)
    _check_values(content["spec"].get("values"), origin, problems)
    suspend = _suspension(content["spec"].get("suspend"), origin, problems)
    check_policy(content["spec"].get("policy"), origin, problems)
    return None if len(problems) > before else _environment(content, suspend, origin.source)


def _environment(
    content: Mapping[str, Any], suspend: Suspension | None, source: str
) -> Environment:
    spec = content["spec"]
    return Environment(
        name=content["metadata"]["name"],
        subscription=spec["subscription"],
        resource_group=spec["resourceGroup"],
        location=spec["location"],
        include=tuple(spec.get("include", ())),
        values=spec.get("values", NOTHING),
        patches=tuple(spec.get("patches", ())),
        tags=spec.get("tags", NOTHING),
        prune=spec.get("prune", False),
        self_heal=spec.get("selfHeal", "apply"),
        policy=spec.get("policy", NOTHING),
        suspend=suspend,
        windows=tuple(spec.get("windows", ())),
        apply=spec.get("apply", "onMerge"),
        source=source,
    )


def _check_name(name: str, origin: Origin, problems: Problems) -> None:
    if not NAME.fullmatch(name):
        message = "an environment's name is 1 to 63 letters, digits or '-', not '-' at its ends"
        problems.add(origin, ("metadata", "name"), message)


def _check_values(values: Json, origin: Origin, problems: Problems) -> None:
    if type(values) is not dict:
        return
    for name, value in values.items():
        path = ("spec", "values", name)
        if not isinstance(value, str | int | float):
            problems.add(origin, path, f"spec.values.{name} must be a string, number or boolean")
        if not re.fullmatch(r"[A-Za-z_][\w-]*", name, re.ASCII):
            message = f'"{name[:60]}" cannot be the name of a value: letters, digits, "_" and "-"'
            problems.add(origin, path, message, "key")


def _suspension(written: Json, origin: Origin, problems: Problems) -> Suspension | None:
    if type(written) is not dict:
        return None
    until, reason = written.get("until"), written.get("reason", "")
    if type(until) is not str:
        return Suspension(None, reason)
    moment = _instant(until)
    if moment is None:
        message = f'spec.suspend.until must be like "2026-12-24T18:00:00Z", not "{until[:40]}"'
        problems.add(origin, ("spec", "suspend", "until"), message)
    return Suspension(moment, reason)


def _instant(written: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def included(
    environment: Environment, origin: Origin, files: Mapping[str, str], problems: Problems
) -> frozenset[str]:
    """The files an environment is made of; a pattern that matches none is told."""
    root = root_of(files)
    own = f"{root}/{FOLDER}/" if root else f"{FOLDER}/"
    candidates = [path for path in files if not path.startswith(own)]
    if not environment.include:
        return frozenset(candidates)
    found: set[str] = set()
    for place, pattern in enumerate(environment.include):
        where = ("spec", "include", place)
        names = [part for part in pattern.split("/") if part not in ("", ".")]
        if pattern.startswith("/") or ".." in names or "\\" in pattern:
            problems.add(origin, where, f'"{pattern[:80]}" leaves the specs folder')
            continue
        chosen = _matching("/".join(names), root, candidates)
        if not chosen and not problems.incomplete:
            problems.add(origin, where, f'"{pattern[:80]}" matches no file in {root or "."}/')
        found |= chosen
    return frozenset(found)


def _matching(pattern: str, root: str, candidates: list[str]) -> set[str]:
    base = f"{root}/" if root else ""
    if not pattern:
        return set(candidates)
    if "*" not in pattern and "?" not in pattern:
        whole = base + pattern
        return {path for path in candidates if path == whole or path.startswith(whole + "/")}
    form = re.compile(translate(pattern))  # "*" matches "/" too
    return {path for path in candidates if form.match(path.removeprefix(base))}
