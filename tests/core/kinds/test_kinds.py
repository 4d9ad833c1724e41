"""What a kind promises beyond its fields: parts, preparation, names, ids."""

import re

import pytest

from reconciler.core.diff import diff_fields
from reconciler.core.kinds import KINDS
from reconciler.core.kinds.azure_resource import typed
from reconciler.core.kinds.roles import ROLES
from reconciler.core.kinds.shared import GUID
from reconciler.core.merge import merge

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_explains_itself(kind):
    assert kind.title
    assert kind.doc
    assert kind.doc.endswith(".")
    assert re.compile(kind.names.pattern)
    assert kind.names.shortest <= kind.names.longest
    assert all(place.parent in {*KINDS, ""} for place in kind.places)
    assert kind.deferred <= set(kind.fields)
    assert all(part.field not in kind.fields for part in kind.parts)
    assert set(kind.identity) - {place.field for place in kind.places} <= set(kind.fields)


def test_the_kinds_over_workspaces_are_told_apart():
    kinds = [one for one in KINDS.values() if one.arm_type.endswith("Services/workspaces")]
    assert [one.fixed["kind"] for one in kinds if one.fixed] == ["Default", "Hub", "Project"]


def document(kind, name="x", **spec):
    return {"apiVersion": "aigitops/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def part(kind, field):
    return next(one for one in KINDS[kind].parts if one.field == field)


def test_terms_are_accepted_in_so_many_words():
    settings = {"modelId": "azureml://registries/azureml-meta/models/L"}
    make = part("ServerlessEndpoint", "marketplace").make
    made = make(
        document(
            "ServerlessEndpoint",
            "llama",
            project="p",
            modelSettings=settings,
            marketplace={"acceptTerms": True},
        )
    )
    assert made["kind"] == "MarketplaceSubscription"
    assert made["metadata"] == {"name": "llama"}
    assert made["spec"] == {"project": "p", "modelId": settings["modelId"]}
    assert part("ServerlessEndpoint", "marketplace").first
    for consent in ({"acceptTerms": False}, {"acceptTerms": "true"}, {}):
        with pytest.raises(ValueError, match="accepts the publisher's terms"):
            make(document("ServerlessEndpoint", modelSettings=settings, marketplace=consent))


@pytest.mark.parametrize(
    ("parent", "owner"),
    [
        ({"project": "p"}, "ServerlessEndpoint/p/x"),
        ({"workspace": "Workspace/w"}, "ServerlessEndpoint/w/x"),
        ({"project": "/subscriptions/s/x"}, "ServerlessEndpoint/x"),
    ],
)
def test_a_key_becomes_a_secret_of_the_vault(parent, owner):
    keys = {"keyVault": "kv", "secretName": "k"}
    made = part("ServerlessEndpoint", "keys").make(
        document("ServerlessEndpoint", **parent, keys=keys)
    )
    assert made["kind"] == "Secret"
    assert made["metadata"] == {"name": "k"}
    value = {"secret": {"keysOf": owner, "name": "primaryKey"}}
    assert made["spec"] == {"keyVault": "kv", "value": value}


def test_the_second_key_may_be_chosen():
    keys = {"keyVault": "kv", "secretName": "k", "key": "key2"}
    made = part("Account", "keys").make(document("Account", "ai", keys=keys))
    assert made["spec"]["value"] == {"secret": {"keysOf": "Account/ai", "name": "key2"}}


def test_items_of_a_blocklist_become_documents():
    make = part("Blocklist", "items").make
    item = {"name": "bluebird", "pattern": "bluebird"}
    made = make(document("Blocklist", "names", account="ai", items=item))
    assert made["kind"] == "BlocklistItem"
    assert made["metadata"] == {"name": "bluebird"}
    assert made["spec"] == {"blocklist": "ai/names", "pattern": "bluebird"}
    far = make(document("Blocklist", "names", account="/subscriptions/s/ai", items=item))
    assert far["spec"]["blocklist"] == "/subscriptions/s/ai/raiBlocklists/names"


def test_autoscale_inside_a_deployment_is_switched_on():
    make = part("OnlineDeployment", "autoscale").make
    made = make(document("OnlineDeployment", "blue", endpoint="vllm", autoscale={"profiles": []}))
    assert made["metadata"] == {"name": "vllm-blue-autoscale"}
    target = "OnlineDeployment/vllm/blue"
    assert made["spec"] == {"targetResourceUri": target, "enabled": True, "profiles": []}
    quiet = {"profiles": [], "enabled": False}
    assert make(document("OnlineDeployment", autoscale=quiet))["spec"]["enabled"] is False


def prepared(kind, **spec):
    return KINDS[kind].prepare(spec, SUBSCRIPTION)


def test_a_smoke_test_goes_in_the_way_that_the_endpoint_takes():
    probe = KINDS["OnlineEndpoint"].probe
    assert probe.way_in({"authMode": "Key"}).keys == ("listKeys", "primaryKey")
    assert probe.way_in({"authMode": "AMLToken"}).keys == ("token", "accessToken")
    assert probe.way_in({"authMode": "AADToken"}).audience == "https://ml.azure.com/.default"
    assert probe.way_in({}) is probe


def test_what_a_service_demands_is_sent_with_a_new_resource_only():
    kind = KINDS["OnlineDeployment"]
    spec = {"sku": {"capacity": 3}}
    assert merge(kind.shape, spec, kind.initial) == {
        "sku": {"name": "Default", "capacity": 3},
        "endpointComputeType": "Managed",
    }
    vault, premium = KINDS["KeyVault"], {"sku": {"family": "A", "name": "premium"}}
    assert diff_fields(vault.shape, {}, premium) == ()
    assert merge(vault.shape, {}, premium) == premium


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_what_a_new_resource_gets_are_fields_of_its_kind(kind):
    assert set(kind.initial) <= set(kind.fields)


def test_a_vault_cannot_lose_what_protects_it():
    with pytest.raises(ValueError, match="leave it out"):
        prepared("KeyVault", enableSoftDelete=False)
    with pytest.raises(ValueError, match="refused by the service"):
        prepared("KeyVault", enablePurgeProtection=False)


@pytest.mark.parametrize(
    ("role", "ends"),
    [
        ("Reader", "/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"),
        ("key vault secrets user", "/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6"),
        ("11111111-2222-3333-4444-555555555555", "/11111111-2222-3333-4444-555555555555"),
        ("/subscriptions/s/roleDefinitions/mine", "/subscriptions/s/roleDefinitions/mine"),
    ],
)
def test_a_role_is_given_by_name_or_id(role, ends):
    sent = prepared("RoleAssignment", role=role, principalId="p")
    assert sent["roleDefinitionId"].endswith(ends)


def test_a_misspelt_role_is_told_with_the_nearest_one():
    with pytest.raises(ValueError, match='did you mean "Key Vault Secrets User"'):
        prepared("RoleAssignment", role="Key Vault Secret User", principalId="p")
    with pytest.raises(ValueError, match="can be given by its id"):
        prepared("RoleAssignment", role="zzz", principalId="p")


def test_a_role_assignment_needs_a_role_and_a_principal():
    with pytest.raises(ValueError, match=r"needs role \(or roleDefinitionId\)"):
        prepared("RoleAssignment", principal="p")
    with pytest.raises(ValueError, match=r"needs principal \(or principalId\)"):
        prepared("RoleAssignment", role="Reader")


@pytest.mark.parametrize(
    ("principal", "sent"),
    [
        ("ManagedIdentity/a", {"ref": "ManagedIdentity/a", "path": "properties.principalId"}),
        ("Account/a", {"ref": "Account/a", "path": "identity.principalId"}),
        ("an-object-id", "an-object-id"),
        ({"ref": "Hub/h", "path": "x"}, {"ref": "Hub/h", "path": "x"}),
    ],
)
def test_a_principal_is_a_resource_or_an_object_id(principal, sent):
    made = prepared("RoleAssignment", role="Reader", principal=principal, principalType="User")
    assert made["principalId"] == sent
    assert made["principalType"] == "User"


def test_every_role_is_a_guid_of_its_own():
    assert all(re.match(GUID, guid) for guid in ROLES.values())
    assert len(set(ROLES.values())) == len(ROLES)


def test_any_arm_type_has_a_kind():
    kind = typed("Microsoft.Search/searchServices@2025-05-01")
    assert kind.arm_type == "Microsoft.Search/searchServices"
    assert kind.places[0].api_version == "2025-05-01"
    assert kind.verbatim == "body"
    for wrong in ("Microsoft.Search", "Microsoft.Search/x", "x@2025-05-01", ""):
        with pytest.raises(ValueError, match="is not Namespace/type@api-version"):
            typed(wrong)


@pytest.mark.parametrize(
    ("kind", "body", "service"),
    [
        ("ContentFilter", {"properties": {"type": "SystemManaged"}}, True),
        ("ContentFilter", {"properties": {"mode": "Default"}}, False),
        ("MLDatastore", {"name": "workspaceBlobStore"}, True),
        ("MLDatastore", {"name": "datasets"}, False),
        ("OutboundRule", {"properties": {"category": "Required"}}, True),
        ("OutboundRule", {"properties": {"category": "UserDefined"}}, False),
        ("Account", {}, False),
    ],
)
def test_what_belongs_to_the_service_is_known(kind, body, service):
    assert KINDS[kind].foreign(body) is service


@pytest.mark.parametrize(
    "kind", [one for one in KINDS.values() if one.endpoint], ids=lambda kind: kind.name
)
def test_where_a_kind_can_be_called_is_among_what_is_read_back(kind):
    assert kind.endpoint in kind.outputs
