"""Owned minus wanted: what may be deleted, what stays and why, and what would go along with it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from reconciler.core.arm import names_of, parents_of
from reconciler.core.findings import Findings, Wanted
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live, resolver
from reconciler.core.model import (
    Change,
    Check,
    Key,
    Owned,
)
from reconciler.core.steps import Intent


def delete(wanted: Wanted, live: Live, owned: Mapping[str, Owned], found: Findings) -> None:
    """Owned minus wanted, as far as it may go."""
    kept = {i.change.arm_id.lower() for i in found.intents if i.change.arm_id}
    kept |= {i.beside.lower() for i in found.intents if i.beside}
    keys = frozenset(one.key for one in wanted.resources)
    kept |= wanted_ids(wanted, live)
    doomed = {
        one.arm_id.lower(): one
        for arm_id, one in owned.items()
        if arm_id not in kept
        and arm_id in live.by_id
        and (_left_over(one, keys) or _may_go(wanted, one, found))
    }
    leaving = doomed.keys() | {
        i.change.arm_id.lower() for i in found.intents if i.change.action == "replace"
    }
    inside = _inside(live, leaving)
    for intent in found.intents:
        if intent.change.action == "replace" and not intent.beside:
            _guard_children(intent.change.key, inside[intent.change.arm_id.lower()], found)
    for arm_id, one in sorted(doomed.items()):
        _guard_children(one.key, inside[arm_id], found)
        observed = live.by_id[arm_id][1]
        change = Change("delete", one.key, observed.arm_id, reason="no spec declares it any more")
        found.intents.append(Intent(change, None, observed, one))


def _left_over(one: Owned, declared: frozenset[Key]) -> bool:
    """The old one of a rollout that was cut short: its successor lives under another name."""
    return one.key in declared and KINDS[one.key.kind].side_by_side and not one.protect


def wanted_ids(wanted: Wanted, live: Live) -> set[str]:
    resolve = resolver(live, wanted.resources, frozenset())
    ids = set()
    for one in wanted.resources:
        observed = None if one.arm_id else live.find(one, resolve)
        ids.add((observed.arm_id if observed else one.arm_id).lower())
    return ids


def _may_go(wanted: Wanted, one: Owned, found: Findings) -> bool:
    """Whether an owned resource that no spec declares is deleted; if not, people are told why."""
    kind = KINDS[one.key.kind]
    why = ""
    if one.arm_id.lower() in wanted.shared:
        why = f"environment {wanted.shared[one.arm_id.lower()]} looks after it too"
    elif not wanted.prune:
        why = "this environment does not prune"
    elif not kind.deletable:
        why = "Azure Resource Manager cannot delete it"
    elif one.deletion == "retain":
        why = "lifecycle.deletion is retain"
    elif kind.holds_data and one.deletion != "delete":
        why = "it holds data, and lifecycle.deletion: delete was not said"
    if why:
        message = f"{one.key} is declared no more and stays: {why}"
        found.checks.append(Check("note", "delete.retained", message, "", one.key))
    elif one.protect:
        message = f"{one.key} is protected and no spec declares it any more: declare it again, "
        message += "or apply once with lifecycle.protect: false before taking it out"
        found.checks.append(Check("error", "lifecycle.protect", message, "", one.key))
    return not (why or one.protect)


def _inside(live: Live, leaving: Set[str]) -> Mapping[str, list[str]]:
    """By what goes (lower-cased ids): what lives in it and would not go by itself."""
    found: dict[str, list[str]] = defaultdict(list)
    if not leaving:
        return found
    others = {arm_id.lower(): arm_id for arm_id in live.others}
    others |= {arm_id: observed.arm_id for arm_id, (_, observed) in live.by_id.items()}
    for arm_id, spelled in others.items():
        if arm_id in leaving:
            continue
        for parent in parents_of(arm_id):
            if parent in leaving:
                found[parent].append(spelled)
    return found


def _guard_children(key: Key, others: Sequence[str], found: Findings) -> None:
    """Deleting a parent takes its children along: none may belong to somebody else."""
    if others:
        names = ", ".join(sorted("/".join(names_of(arm_id)) for arm_id in others)[:5])
        names += f" and {len(others) - 5} more" if len(others) > 5 else ""
        message = f"{key} would be deleted, and with it what lives in it and is not to go: "
        message += f"{names}. Remove that first, or declare {key} as it was"
        found.checks.append(Check("error", "delete.notEmpty", message, "", key))
