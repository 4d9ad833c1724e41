"""Tables of what a spec wants, what Azure answered, and what is therefore different.

Adding a case needs no Python: a document in ``tests/cases/kinds/<Kind>/*.yaml`` with ``reason``,
``want`` (a spec), ``have`` (an ARM body), ``changes`` (path: [before, after]), and where it matters
``applied`` (the spec of the last apply) and ``replaces`` (paths that cannot change in place).
"""

from pathlib import Path

import pytest
import yaml

from reconciler.core.body import observed
from reconciler.core.diff import diff_fields
from reconciler.core.kinds import KINDS
from reconciler.core.model import read_written, shown

CASES = Path(__file__).parents[2] / "cases" / "kinds"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
FIELDS = {"reason", "want", "have", "changes", "applied", "replaces"}


def cases():
    for file in sorted(CASES.glob("*/*.yaml")):
        for case in yaml.safe_load_all(file.read_text()):
            name = f"{file.parent.name}/{file.stem}: {case['reason']}"
            yield pytest.param(KINDS[file.parent.name], case, id=name)


@pytest.mark.parametrize(("kind", "case"), list(cases()))
def test_a_case_finds_the_changes_it_says(kind, case):
    assert case.keys() <= FIELDS
    want = kind.prepare(read_written(case["want"]), SUBSCRIPTION)
    live = observed(kind, case["have"])
    applied = read_written(case.get("applied", {}))
    found = diff_fields(kind.shape, want, live.properties, applied)
    assert {one.name: [shown(one.before), shown(one.after)] for one in found} == case["changes"]
    assert [one.name for one in found if one.replaces] == case.get("replaces", [])


def test_every_kind_has_cases():
    without = {"ResourceGroup", "AzureResource", "LogAnalytics", "ContainerRegistry"}
    assert {folder.name for folder in CASES.iterdir()} | without == set(KINDS)
