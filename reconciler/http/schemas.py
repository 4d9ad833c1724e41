"""What every answer looks like, as JSON Schema (draft 2020-12), by the name of its function."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from reconciler.core.model import Action, Level, Mode, RunState, State, Verb

type Schema = Mapping[str, Any]

TEXT: Final[Schema] = {"type": "string"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
MOMENT: Final[Schema] = {"type": "string", "description": "ISO 8601 in UTC; empty: not yet"}


def _one_of(literal: Any) -> Schema:
    return {"enum": list(get_args(literal.__value__))}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_COUNTS = ("create", "update", "replace", "delete", "unchanged", "unmanaged")
SUMMARY: Final = _object(**dict.fromkeys(_COUNTS, COUNT))
FIELD: Final = _object(path=TEXT, before={}, after={})
CHANGE: Final = _object(
    action=_one_of(Action), kind=TEXT, name=TEXT, armId=TEXT, fields=_array(FIELD), reason=TEXT
)
CHECK: Final = _object(rule=TEXT, level=_one_of(Level), message=TEXT, source=TEXT)
PLAN: Final = _object(
    environment=TEXT,
    commit=TEXT,
    digest=TEXT,
    summary=SUMMARY,
    changes=_array(CHANGE),
    checks=_array(CHECK),
    requests=_object(reads=COUNT),
    unmanaged=_array(_object(kind=TEXT, name=TEXT)),
)
STEP: Final = _object(
    id=TEXT,
    verb=_one_of(Verb),
    kind=TEXT,
    name=TEXT,
    armId=TEXT,
    state={"enum": [*get_args(State.__value__), None]},
    detail=TEXT,
    startedAt=MOMENT,
    endedAt=MOMENT,
    requestId=TEXT,
    endpoint=TEXT,
)
RUN: Final = _object(
    id=TEXT,
    environment=TEXT,
    mode=_one_of(Mode),
    only=_array(TEXT),
    state=_one_of(RunState),
    detail=TEXT,
    requestedBy=TEXT,
    createdAt=MOMENT,
    endedAt=MOMENT,
    plan=PLAN,
    steps=_array(STEP),
)
HEADER: Final = _object(
    id=TEXT,
    environment=TEXT,
    mode=_one_of(Mode),
    state=_one_of(RunState),
    detail=TEXT,
    commit=TEXT,
    digest=TEXT,
    summary=SUMMARY,
    requestedBy=TEXT,
    createdAt=MOMENT,
    endedAt=MOMENT,
)
ENVIRONMENT: Final = _object(
    name=TEXT,
    subscription=TEXT,
    resourceGroup=TEXT,
    location=TEXT,
    selfHeal={"enum": ["apply", "report"]},
    apply={"enum": ["onMerge", "onCommand"]},
    suspended={"type": "boolean"},
    appliedCommit=TEXT,
    appliedAt=MOMENT,
    triedCommit=TEXT,
    failures=COUNT,
    retryAt={"type": "string", "description": 'as above, or "never": when somebody asks'},
    checkedAt=MOMENT,
    drift=COUNT,
    lastRun=TEXT,
    heldBy={**COUNT, "description": "the open pull request applied before its merge; 0: none"},
)
PROBLEM: Final[Schema] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "pattern": "^urn:reconciler:[a-z-]+$"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "errors": _array(_object(source=TEXT, message=TEXT)),
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}
"""Every answer with a status of 400 or more (https://www.rfc-editor.org/rfc/rfc9457)."""

ANSWERS: Final[Mapping[str, Schema]] = {
    "health": _object(status={"const": "alive"}, version=TEXT),
    "reconcile": _object(run=TEXT, status_url={"type": "string", "format": "uri"}),
    "runs": _object(runs=_array(HEADER)),
    "run": RUN,
    "cancel": _object(run=TEXT, state=_one_of(RunState)),
    "environments": _object(commit=TEXT, environments=_array(ENVIRONMENT)),
    "webhook": _object(accepted={"const": True}),
}
