"""``policy`` of an environment: what it asks of everything that is made there, as data.

Each rule is about a field of one or more kinds, or about the kinds themselves, and has exactly one
test. What the tests mean for a plan is in ``reconciler.core.checks.policy``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from reconciler.core.desired.nearest import did_you_mean, nearest
from reconciler.core.desired.problems import Origin, Problems
from reconciler.core.desired.validate import Validator
from reconciler.core.desired.written import matches
from reconciler.core.kinds import KINDS, Kind
from reconciler.core.model import Json, Path
from reconciler.core.schema import (
    ANY,
    Anything,
    Array,
    Field,
    Scalar,
    Shape,
    Variant,
    array,
    boolean,
    described,
    field_of,
    integer,
    number,
    obj,
    required,
    text,
)
from reconciler.core.schema import location as region

EVERY: Final = "*"
FIELD: Final = r"^[^.\[\]]+(\.[^.\[\]]+)*$"
MOST_RULES: Final = 50
MOST_VALUES: Final = 100
"""Each value of each rule is held against each resource: more would make every plan slow."""
MOST_STEPS: Final = 16
"""Names in a field's path."""

TESTS: Final[Mapping[str, Field]] = {
    "oneOf": described("The field has one of these values.", array(ANY, key=("",))),
    "noneOf": described("The field has none of these values.", array(ANY, key=("",))),
    "equals": described("The field has this value.", ANY),
    "atMost": described("The field is a number, and not above this.", number()),
    "atLeast": described("The field is a number, and not below this.", number()),
    "required": described("true: the field is written.", boolean()),
    "denied": described("true: the kind may not be used at all.", boolean()),
}
POLICY: Final = obj(
    approvals=described("How many /apply before the merge takes.", integer(0, 20)),
    rules=described(
        "What is asked of resources; a plan that would break a rule cannot be applied.",
        array(
            obj(
                name=described(
                    "Its name: checks call it policy.NAME.",
                    required(text(pattern=r"^[a-z0-9-]+$", longest=60)),
                ),
                kind=described('A kind, a list of kinds, or "*".', required(ANY)),
                field=described(
                    "The field it is about: sku.name. Without it: the kind itself.",
                    text(pattern=FIELD, longest=200),
                ),
                level=text("error", "warning", closed=True, same="exact"),
                message=described("Why.", text(longest=500)),
                **TESTS,
            ),
            key=("name",),
        ),
    ),
)
PLACE: Final = Field(shape=region().shape)
"""``location`` of what has no region of its own: where the account, workspace, … around it is."""


def check_policy(policy: Json, origin: Origin, problems: Problems) -> None:
    """Tell what no shape can say: tests that a rule cannot have, kinds and fields nobody knows."""
    rules = policy.get("rules") if type(policy) is dict else None
    if type(rules) is not list:
        return
    path = ("spec", "policy", "rules")
    if len(rules) > MOST_RULES:
        problems.add(origin, path, f"there are {len(rules)} rules, more than {MOST_RULES}", "key")
        return
    for place, rule in enumerate(rules):
        if type(rule) is dict:
            _Rule(rule, (*path, place), origin, problems).check()


class _Rule:
    """One rule as it is written; anything may stand anywhere in it."""

    def __init__(
        self, rule: dict[str, Any], path: Path, origin: Origin, problems: Problems
    ) -> None:
        self._rule, self._path = rule, path
        self._origin, self._problems = origin, problems

    def check(self) -> None:
        kinds = list(self._kinds())
        test = self._test()
        written = self._rule.get("field")
        if test == "denied" and written is not None:
            self._add("denied", "is about a kind: leave out field, or say noneOf")
        elif test and test != "denied" and written is None:
            self._add(test, "needs a field to look at")
        elif test and type(written) is str and matches(FIELD, written) and kinds:
            self._field(written, kinds, test)

    def _add(self, name: str, message: str, *more: str | int) -> None:
        path = (*self._path, *((name,) if name else ()), *more)
        where = f"{name} " if name else ""
        self._problems.add(self._origin, path, f"{where}{message}", "value")

    def _kinds(self) -> Iterator[Kind]:
        written = self._rule.get("kind")
        if written == EVERY:
            yield from KINDS.values()
            return
        listed = written if type(written) is list else [written]
        if not listed or len(listed) > len(KINDS):
            self._add("kind", f'names {len(listed)} kinds: say "*" for every kind')
            return
        for place, name in enumerate(listed):
            more = (place,) if type(written) is list else ()
            if type(name) is not str:
                if "kind" in self._rule:
                    self._add("kind", 'is the name of a kind, a list of names, or "*"', *more)
            elif name in KINDS:
                yield KINDS[name]
            else:
                hint = did_you_mean(name, KINDS)
                message = f'there is no kind "{name[:60]}"{hint}'
                self._problems.add(self._origin, (*self._path, "kind", *more), message)

    def _test(self) -> str:
        """The one test of the rule; "", told, when there is not one, or one that says nothing."""
        found = [name for name in TESTS if name in self._rule]
        if len(found) != 1:
            *most, last = TESTS
            several = f", not {' and '.join(found)}" if found else f": {', '.join(most)} or {last}"
            self._add("", f"a rule has exactly one test{several}")
            return ""
        (test,) = found
        if test in ("required", "denied") and self._rule[test] is False:
            self._add(test, "can only be true: leave the rule out instead")
            return ""
        return test

    def _field(self, written: str, kinds: Iterable[Kind], test: str) -> None:
        steps = tuple(written.split("."))
        if len(steps) > MOST_STEPS:
            self._add("field", f"has {len(steps)} parts, more than {MOST_STEPS}")
            return
        every = self._rule.get("kind") == EVERY
        found = {kind.name: fields_at(kind, steps) for kind in kinds}
        lacking = [name for name, fields in found.items() if not fields]
        if lacking and (not every or len(lacking) == len(found)):
            who = "no kind has a" if every else f"{lacking[0]} has no"
            message = f'{who} field "{written[:80]}"{_meant(found if every else lacking, steps)}'
            self._problems.add(self._origin, (*self._path, "field"), message)
            return
        known = [field for fields in found.values() for field in fields]
        self._values(test, known, every)

    def _values(self, test: str, fields: list[Field], every: bool) -> None:
        """Whether the test can be asked of the field, and its values be the field's."""
        if test == "required":
            return
        if any(field.secret for field in fields):
            written = self._rule["field"][:80]
            message = f'{written} holds a secret: all that can be asked of it is "required: true"'
            self._problems.add(self._origin, (*self._path, "field"), message)
            return
        scalars = [one for one in map(_scalar, fields) if one]
        if not scalars:
            message = (
                f"{self._rule['field'][:80]} holds more than one value: name a field inside it"
            )
            self._problems.add(self._origin, (*self._path, "field"), message)
        elif test in ("atMost", "atLeast"):
            if all(_type(one) in ("string", "boolean") for one in scalars):
                self._add(test, "is for numbers, and this field holds none")
        else:
            # Kinds may mean different things by one name: what one takes another may not.
            alike = not every and len({one.shape for one in scalars}) == 1
            self._each(test, replace(scalars[0], refers=(), names=()) if alike else None)

    def _each(self, test: str, field: Field | None) -> None:
        value = self._rule[test]
        if test != "equals" and type(value) is not list:
            return  # told already
        listed = value if test != "equals" else [value]
        if not listed or len(listed) > MOST_VALUES:
            self._add(test, f"has {len(listed)} values: 1 to {MOST_VALUES} can be named")
            return
        for place, item in enumerate(listed):
            more: Path = (place,) if test != "equals" else ()
            if type(item) not in (str, int, float, bool):
                self._add(test, "holds strings, numbers, true and false", *more)
            elif field:
                # A slip in noneOf would let through what it was to keep out.
                path = (*self._path, test, *more)
                Validator(self._problems, self._origin).value(item, field, path)


def fields_at(kind: Kind, path: tuple[str, ...]) -> list[Field]:
    """What a kind's field at a path may be: one, or several where another field decides."""
    if path == ("location",) and "location" not in kind.fields:
        return [PLACE]
    found = [Field(shape=kind.shape)]
    for name in path:
        found = [inner for one in found for inner in _inside(one.shape, name)]
    return found


def _inside(shape: Shape, name: str) -> list[Field]:
    if isinstance(shape, Array):
        return _inside(shape.item.shape, name)
    if isinstance(shape, Variant):
        sides = (shape.common, *shape.cases.values())
        return [fields[name] for fields in sides if name in fields]
    found = None if isinstance(shape, Scalar) else field_of(shape, name)
    return [found] if found else []


def _scalar(field: Field) -> Field | None:
    """The field, or what its list holds, if that is one value."""
    if isinstance(field.shape, Array):
        return _scalar(field.shape.item)
    return field if isinstance(field.shape, Scalar | Anything) else None


def _type(field: Field) -> str:
    return field.shape.type if isinstance(field.shape, Scalar) else ""


def _meant(kinds: Iterable[str], steps: tuple[str, ...]) -> str:
    """``, did you mean sku.name?``: the first name that is wrong, put right."""
    if steps[0] == "spec" and any(fields_at(KINDS[kind], steps[1:]) for kind in kinds):
        return f", did you mean {'.'.join(steps[1:])}?"
    for place in range(len(steps)):
        names = {name for kind in kinds for name in _names(KINDS[kind], steps[:place])}
        if steps[place] not in names:
            near = nearest(steps[place], sorted(names))
            return f", did you mean {'.'.join((*steps[:place], near))}?" if near else ""
    return ""


def _names(kind: Kind, path: tuple[str, ...]) -> Iterator[str]:
    """The names that can stand below a path."""
    for field in fields_at(kind, path):
        shape: Shape = field.shape
        while isinstance(shape, Array):
            shape = shape.item.shape
        if isinstance(shape, Variant):
            yield from shape.common
            yield from (name for case in shape.cases.values() for name in case)
        elif not isinstance(shape, Scalar):
            yield from getattr(shape, "fields", ())
