"""The JSON Schemas for editors: they accept every sample and refuse what is misspelt."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.core.desired import parse_all
from reconciler.core.json_schema import json_schema, json_schema_all
from reconciler.core.kinds import KINDS
from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.schema import (
    integer,
    mapping,
    required,
    secret,
    tags,
    text,
    variant,
    write_only,
)
from reconciler.local.folder import read_folder

ROOT = Path(__file__).parent.parent.parent
SAMPLES = [
    pytest.param(document, id=f"{path.relative_to(ROOT)} {document['metadata']['name']}")
    for path in sorted((ROOT / "specs").rglob("*.yaml"))
    for document in yaml.load_all(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    if document is not None
]
ALL = Draft202012Validator(json_schema_all())
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "aigitops/v1",
    "kind": "ModelDeployment",
    "metadata": {"name": "chat", "dependsOn": ["Account/a"]},
    "spec": {
        "account": "contoso-ai",
        "sku": {"name": "GlobalStandard", "capacity": 50},
        "model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"},
        "raiPolicyName": "strict",
        "tags": {"env": "dev"},
    },
    "lifecycle": {"deletion": "retain", "protect": True, "ignore": ["spec.sku.capacity"]},
    "verify": {"request": {"n": 1}, "expect": {"status": 200, "path": "a"}, "timeoutSeconds": 9},
}


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(json_schema_all())
    Draft202012Validator.check_schema(json_schema(KINDS["Connection"]))


def test_the_samples_are_specs() -> None:
    assert len(parse_all(read_folder(ROOT / "specs"))) >= 2


@pytest.mark.parametrize("document", SAMPLES)
def test_a_sample_is_accepted(document: dict[str, Any]) -> None:
    assert [error.message for error in ALL.iter_errors(document)] == []
    kind = KINDS.get(document["kind"])
    if kind is not None:
        assert Draft202012Validator(json_schema(kind)).is_valid(document)


def misspelt(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every copy of a document with one field's name misspelt."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*path, name), {f"{k}z" if k == name else k: v for k, v in value.items()}
            for where, changed in misspelt(item, (*path, name)):
                yield where, {**value, name: changed}
    elif isinstance(value, list):
        for place, item in enumerate(value):
            for where, changed in misspelt(item, (*path, place)):
                yield where, [*value[:place], changed, *value[place + 1 :]]


def test_a_misspelt_field_is_refused_wherever_names_are_not_the_author_s() -> None:
    free = {("spec", "tags", "env"), ("verify", "request", "n")}
    assert ALL.is_valid(DEPLOYMENT)
    accepted = {path for path, document in misspelt(DEPLOYMENT) if ALL.is_valid(document)}
    assert accepted == free


def dump(documents: Mapping[str, Any]) -> dict[str, Any]:
    return {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], **documents}}


@pytest.mark.parametrize(
    ("spec", "good"),
    [
        ({"sku": {"name": "EuroStandard"}}, True),
        ({"sku": {"name": "${sku}", "capacity": "${capacity}"}}, True),
        ({"sku": {"name": "Standard", "capacity": {"ref": "Account/a", "path": "x"}}}, True),
        ({"sku": {"name": "Standard", "capacity": "5"}}, False),
        ({"sku": {"name": "Standard", "capacity": -1}}, False),
        ({"raiPolicyName": {"secret": {"setting": "X"}}}, False),
        ({"account": 5}, False),
        ({"tags": {"a": 1}}, False),
    ],
)
def test_values_are_accepted_as_the_parser_accepts_them(spec: dict[str, Any], good: bool) -> None:
    assert ALL.is_valid(dump(spec)) is good


def place(field: str, parent: str) -> Place:
    return Place(field=field, parent=parent, arm_type=f"Test.Small/{field}s", api_version="1")


def valid(kind: Kind, spec: dict[str, Any]) -> bool:
    document = {"apiVersion": "aigitops/v1", "kind": kind.name, "metadata": {"name": "x"}}
    return Draft202012Validator(json_schema(kind)).is_valid({**document, "spec": spec})


def test_secrets_are_accepted_where_azure_keeps_them() -> None:
    fields = {"key": required(secret()), "hidden": write_only(text()), "all": mapping(secret())}
    kind = Kind(name="K", title="K", places=(place("", ""),), fields=fields)
    named = {"secret": {"keyVault": "kv", "name": "n"}}
    assert valid(kind, {"key": named, "hidden": named, "all": {"x": named}})
    assert valid(kind, {"key": {"secret": {"setting": "X"}}, "hidden": "shown"})
    assert not valid(kind, {"key": "hunter2"})
    assert not valid(kind, {"key": {"secret": {"keyvault": "kv", "name": "n"}}})
    assert not valid(kind, {})


def test_a_case_decides_about_further_fields() -> None:
    choice = variant("type", {"Key": {"key": required(text())}, "None": {}}, type=required(text()))
    kind = Kind(name="K", title="K", places=(place("", ""),), fields={"auth": choice})
    assert valid(kind, {"auth": {"type": "Key", "key": "x"}})
    assert valid(kind, {"auth": {"type": "Unheard", "of": "x"}})
    assert not valid(kind, {"auth": {"type": "Key"}})
    assert not valid(kind, {"auth": {"type": "None", "key": "x"}})
    assert not valid(kind, {"auth": {}})


def test_a_kind_itself_may_have_cases() -> None:
    kind = Kind(
        name="K",
        title="K",
        places=(place("box", "Box"),),
        fields={"type": text()},
        by="type",
        cases={"A": {"a": required(integer())}},
    )
    assert valid(kind, {"box": "b", "type": "A", "a": 1})
    assert not valid(kind, {"box": "b", "type": "A"})
    assert not valid(kind, {"box": "b", "a": 1})
    assert not valid(kind, {"type": "A", "a": 1})


def test_where_a_resource_lives_is_asked_for_once() -> None:
    several = Kind(name="K", title="K", places=(place("a", "A"), place("b", "B")), fields={})
    assert valid(several, {"a": "x"})
    assert not valid(several, {"a": "x", "b": "y"})
    assert not valid(several, {})
    places = (place("resourceGroup", "ResourceGroup"), place("b", "B"))
    optional = Kind(name="K", title="K", places=places, fields={})
    assert valid(optional, {})
    assert not valid(optional, {"resourceGroup": "x", "b": "y"})


def test_closed_words_are_accepted_in_the_letter_case_the_parser_accepts() -> None:
    fields = {"word": text("Ab-c", closed=True), "exact": text("A", closed=True, same="exact")}
    kind = Kind(name="K", title="K", places=(place("", ""),), fields=fields)
    assert valid(kind, {"word": "aB-C", "exact": "A"})
    assert not valid(kind, {"word": "abc"})
    assert not valid(kind, {"exact": "a"})


def test_the_environment_has_a_schema() -> None:
    spec = {
        "subscription": "00000000-0000-0000-0000-000000000001",
        "resourceGroup": "rg",
        "location": "eastus2",
        "values": {"a": 1},
        "patches": [{"kind": "Account", "name": "a", "spec": {"sku": None}}],
    }
    document = {
        "apiVersion": "aigitops/v1",
        "kind": "Environment",
        "metadata": {"name": "dev"},
        "spec": spec,
    }
    assert ALL.is_valid(document)
    assert not ALL.is_valid({**document, "spec": {**spec, "pruned": True}})
    assert not ALL.is_valid({**document, "lifecycle": {}})


def test_a_kind_nobody_knows_is_refused() -> None:
    assert not ALL.is_valid({**DEPLOYMENT, "kind": "ModelDeploy"})


def test_fields_of_objects_are_described() -> None:
    kind = Kind(
        name="K", title="K", doc="What it is.", places=(place("", ""),), fields={"t": tags()}
    )
    schema = json_schema(kind)
    assert schema["description"] == "What it is."
    assert schema["properties"]["spec"]["properties"]["t"]["type"] == "object"
