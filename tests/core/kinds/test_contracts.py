"""The kinds against Microsoft's published types."""

import os
from pathlib import Path

import pytest

from reconciler.core.kinds import KINDS
from tests.core.kinds.exemptions import EXEMPT
from tests.core.kinds.microsoft import differences

CONTRACTS = os.environ.get("RECONCILER_CONTRACTS", "")
PLACES = [
    pytest.param(kind, place, id=f"{kind.name}-{place.field or 'subscription'}")
    for kind in KINDS.values()
    for place in kind.places
    if place.arm_type
]

pytestmark = pytest.mark.skipif(
    not CONTRACTS, reason="RECONCILER_CONTRACTS is not set: Microsoft's types were not compared"
)


def exemption(kind_name: str, line: str) -> str | None:
    """The entry of the table that excuses a difference."""
    path = line.partition(": ")[0]
    for one in EXEMPT.get(kind_name, {}):
        if path == one or path.startswith((f"{one}.", f"{one}[", f"{one}<", f"{one}{{")):
            return one
    return None


@pytest.mark.parametrize(("kind", "place"), PLACES)
def test_a_kind_says_what_microsoft_says(kind, place):
    found = differences(Path(CONTRACTS) / "contracts", kind, place)
    unexplained = [line for line in found if exemption(kind.name, line) is None]
    assert not unexplained, "\n".join(unexplained)


def test_every_exemption_is_still_needed():
    root = Path(CONTRACTS) / "contracts"
    used = {
        (kind.name, exemption(kind.name, line))
        for kind in KINDS.values()
        for place in kind.places
        if place.arm_type
        for line in differences(root, kind, place)
    }
    stale = [
        (name, path) for name, table in EXEMPT.items() for path in table if (name, path) not in used
    ]
    assert stale == []
