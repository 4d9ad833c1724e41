"""What an environment's policy says of a plan.

A rule stops what a plan would bring about: something new or replaced that breaks it, or a change of
the very field that does. What broke it before and is left as it is gets a warning, so that a new
rule holds up nobody who changes something else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from reconciler.core.checks.subject import Estate, Subject, View
from reconciler.core.desired.policy import EVERY, TESTS
from reconciler.core.live import Live, resolver
from reconciler.core.model import (
    ABSENT,
    UNKNOWN,
    Check,
    Json,
    Level,
    Plan,
    Properties,
    Ref,
    Resource,
    Secret,
)
from reconciler.core.same import numeric, same
from reconciler.core.schema import Field, Scalar

MOST: Final = 50
"""Breaches of one rule that are told one by one; the rest are counted."""
FEW: Final = 8
"""Names, or values, that a sentence lists."""
LONGEST: Final = 80
MILDER: Final[Mapping[Level, Level]] = {"error": "warning", "warning": "note", "note": "note"}
"""What stands already is told one level lower."""

type State = Literal["broken", "stands", "unknown"]

STATES: Final[tuple[State, ...]] = ("broken", "stands", "unknown")
"""The worst first."""


@dataclass(frozen=True)
class Rule:
    """One rule of a policy that was validated."""

    name: str
    kinds: frozenset[str]
    """Empty: every kind."""
    field: str
    """Empty: it is about the kind itself."""
    test: str
    wanted: Json
    level: Level
    why: str

    @property
    def id(self) -> str:
        return f"policy.{self.name}"

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.field.split(".")) if self.field else ()

    def concerns(self, view: View) -> bool:
        return not self.kinds or view.kind.name in self.kinds


@dataclass(frozen=True)
class Verdict:
    """What a rule finds in one resource."""

    state: State
    """``stands``: it broke the rule before, and the plan does not touch that."""
    detail: str
    resource: Resource

    @property
    def who(self) -> str:
        return str(self.resource.key)


def rules_of(policy: Properties) -> tuple[Rule, ...]:
    """The rules of an environment's policy."""
    return tuple(_rule(one) for one in policy.get("rules", ()))


def _rule(written: Mapping[str, Any]) -> Rule:
    kinds = written["kind"]
    listed = () if kinds == EVERY else kinds if isinstance(kinds, list) else (kinds,)
    (test,) = written.keys() & TESTS.keys()
    return Rule(
        name=written["name"],
        kinds=frozenset(listed),
        field=written.get("field", ""),
        test=test,
        wanted=written[test],
        level=written.get("level", "error"),
        why=written.get("message", ""),
    )


def check_policy(
    plan: Plan, live: Live, policy: Properties, declared: Sequence[Resource]
) -> Iterator[Check]:
    """What the rules say of what a plan makes or changes, and of the ``declared`` resources that it
    leaves as they are."""
    rules = rules_of(policy)
    if not rules:
        return
    estate = Estate(plan, live, declared)
    gone = frozenset(one.key for one in plan.changes if one.action == "replace")
    resolve = resolver(live, estate.by_key.values(), gone)
    for rule in rules:
        found = (_judge(rule, one, estate, resolve) for one in estate.subjects)
        yield from _told(rule, [one for one in found if one])


def _judge(
    rule: Rule, subject: Subject, estate: Estate, resolve: Callable[[Ref], Json]
) -> Verdict | None:
    """The worst that a rule finds in a resource; None when there is nothing to say."""
    found: list[Verdict] = []
    for view in filter(rule.concerns, subject.views):
        answers = _answers(rule, subject, view, estate, resolve)
        state: State = "broken" if subject.brings(view, rule.path) else "stands"
        found += (
            Verdict("unknown" if one is None else state, one or "", subject.resource)
            for one in answers
            if one != ""
        )
    return min(found, key=lambda one: STATES.index(one.state), default=None)


def _answers(
    rule: Rule, subject: Subject, view: View, estate: Estate, resolve: Callable[[Ref], Json]
) -> Iterator[str | None]:
    """As of ``_test``, for each value that a rule is about."""
    if rule.test == "denied":
        yield f"{view.kind.title} may not be used here"
    elif rule.test == "required":
        yield from ("it is not written" for _, v in view.values(rule.path) if v is ABSENT)
    else:
        for field, value in estate.values(subject, view, rule.path):
            yield _test(rule, field, resolve(value) if isinstance(value, Ref) else value)


def _test(rule: Rule, field: Field, value: Json) -> str | None:
    """Why a value breaks a rule; "" when it does not, None when that is not known."""
    if value is UNKNOWN or isinstance(value, Secret):
        return None
    if value is ABSENT and field.default is ABSENT:
        return _unwritten(rule)
    if value is ABSENT:
        broken = _test(rule, field, field.default)
        return f"{broken}, which Azure puts when nothing is written" if broken else broken
    if rule.test in ("atMost", "atLeast"):
        return _beyond(rule, value)
    how = field.shape.same if isinstance(field.shape, Scalar) else "caseless"
    listed = [rule.wanted] if rule.test == "equals" else rule.wanted
    among = any(same(how, one, value) for one in listed)
    return f"it is {_shown(value)}" if among is (rule.test == "noneOf") else ""


def _unwritten(rule: Rule) -> str | None:
    """Nobody here knows what Azure puts: what has to be so is to be written; what must not be is
    not known to be."""
    if rule.test in ("noneOf", "atMost"):
        return None
    return "it is not written, and what Azure puts there is not known"


def _beyond(rule: Rule, value: Json) -> str:
    size = numeric(value)
    if isinstance(size, bool) or not isinstance(size, int | float):
        return f"it is {_shown(value)}, which is no number"
    # Turned round, so that what is not a number at all (nan) is not within any limit.
    within = size <= rule.wanted if rule.test == "atMost" else size >= rule.wanted
    return "" if within else f"it is {_shown(value)}"


def _told(rule: Rule, found: Sequence[Verdict]) -> Iterator[Check]:
    """One check for each resource that the plan would make break a rule, one for all that break it
    already, and one for all that could not be checked."""
    broken = [one for one in found if one.state == "broken"]
    for one in broken[:MOST]:
        message = f"{one.who}: {_asked(rule)}; {one.detail}" if rule.field else _denied(one)
        yield Check(
            rule.level, rule.id, _because(rule, message), one.resource.source, one.resource.key
        )
    if len(broken) > MOST:
        message = f"{len(broken) - MOST} more resources break this rule"
        yield Check(rule.level, rule.id, _because(rule, message))
    if stands := [one for one in found if one.state == "stands"]:
        who = _listed([one.who for one in stands])
        message = f"{_asked(rule)}; this plan leaves alone what breaks that already: {who}. "
        message += "The next change there has to mend it"
        source = stands[0].resource.source
        yield Check(MILDER[rule.level], rule.id, _because(rule, message), source)
    if unknown := [one for one in found if one.state == "unknown"]:
        who = _listed([one.who for one in unknown])
        message = f"{_asked(rule)}; what it will be is not known, and was not checked: {who}"
        yield Check("note", rule.id, message, unknown[0].resource.source)


def _denied(one: Verdict) -> str:
    return f"{one.who}: {one.detail}"


def _asked(rule: Rule) -> str:
    """What a rule asks, as the beginning of a sentence."""
    match rule.test:
        case "oneOf":
            return f"{rule.field} has to be {_listed(rule.wanted, 'or')}"
        case "noneOf":
            return f"{rule.field} must not be {_listed(rule.wanted, 'or')}"
        case "equals":
            return f"{rule.field} has to be {_shown(rule.wanted)}"
        case "atMost":
            return f"{rule.field} is at most {_shown(rule.wanted)}"
        case "atLeast":
            return f"{rule.field} is at least {_shown(rule.wanted)}"
        case "required":
            return f"{rule.field} has to be written"
    kinds = _listed(sorted(rule.kinds), "and") if rule.kinds else "nothing"
    return f"{kinds} may not be used here"


def _because(rule: Rule, message: str) -> str:
    return f"{message}. {rule.why}" if rule.why else message


def _listed(values: Sequence[Json], word: str = "and") -> str:
    named = [_shown(one) for one in values[:FEW]]
    if len(values) > FEW:
        return f"{', '.join(named)} {word} {len(values) - FEW} more"
    return f" {word} ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _shown(value: Json) -> str:
    """A value in a sentence: no longer than people read."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value) if isinstance(value, str | int | float) else "more than one value"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
