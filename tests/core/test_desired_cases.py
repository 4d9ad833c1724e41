"""Every YAML document below tests/cases/specs is a case: spec texts and what comes of them.

``files`` are texts by path (an environment ``dev`` is added where none is given); then either
``errors``, all of them as people see them, or ``resources``: by key, what must be true of each.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.core.desired import parse
from reconciler.core.errors import SpecErrors
from reconciler.core.model import Resource, written

CASES = Path(__file__).parent.parent / "cases" / "specs"
DEV = """\
apiVersion: aigitops/v1
kind: Environment
metadata: {name: dev}
spec:
  subscription: 00000000-0000-0000-0000-000000000001
  resourceGroup: rg-ai
  location: swedencentral
"""


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load_all(path.read_text("utf-8")):
            yield pytest.param(case, id=f"{path.stem}: {case['reason']}")


def with_environment(files: dict[str, str]) -> dict[str, str]:
    if any("/environments/" in path for path in files):
        return files
    return {"specs/environments/dev.yaml": DEV, **files}


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else written(value)


def described(resource: Resource) -> dict[str, Any]:
    return {
        "armId": resource.arm_id,
        "source": resource.source,
        "needs": sorted(str(key) for key in resource.needs),
        "properties": as_json(dict(resource.properties)),
    }


@pytest.mark.parametrize("case", list(cases()))
def test_specs_mean_what_the_case_says(case: dict[str, Any]) -> None:
    files = with_environment(case["files"])
    environment = case.get("environment", "dev")
    if "errors" in case:
        with pytest.raises(SpecErrors) as caught:
            parse(files, environment)
        assert [str(error) for error in caught.value.errors] == case["errors"]
        return
    resources = {str(one.key): described(one) for one in parse(files, environment).resources}
    assert resources.keys() == case["resources"].keys()
    for key, wanted in case["resources"].items():
        told = {name: resources[key][name] for name in wanted}
        assert told == wanted, case["reason"]
