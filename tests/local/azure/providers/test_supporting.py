"""Identities, role assignments, Application Insights, autoscale and Log Analytics."""

from __future__ import annotations

import pytest

from reconciler.local.clock import ManualClock

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities/writer"
CREDENTIAL = f"{IDENTITY}/federatedIdentityCredentials/ci"
ROLE = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
NAMES = [f"7b83888d-03fb-55bb-8209-aec4e363280{n}" for n in range(3)]


def assignment(n):
    return f"Microsoft.Authorization/roleAssignments/{NAMES[n]}"


def role(principal, **more):
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"
    return {"properties": {"roleDefinitionId": definition, "principalId": principal, **more}}


async def test_an_identity_has_its_ids_for_life_and_a_group_in_lower_case(arm):
    first = await arm.put(IDENTITY, {"location": "eastus2"})
    assert first.status == 201
    assert first.headers["location"] == first.body["id"]
    assert "/resourcegroups/rg/" in first.body["id"]
    second = await arm.put(IDENTITY, {"location": "eastus2", "tags": {"a": "b"}})
    assert second.status == 200
    assert second.properties == first.properties
    assert (await arm.put(CREDENTIAL, credential())).status == 201
    await arm.delete(CREDENTIAL)
    assert (await arm.get(CREDENTIAL)).code == "NotFound"


def credential():
    return {"properties": {"audiences": ["a"], "issuer": "https://i", "subject": "s"}}


async def test_an_assignment_is_created_every_time_and_deleted_with_a_body(arm):
    principal = (await arm.put(IDENTITY, {"location": "eastus2"})).properties["principalId"]
    made = await arm.put(assignment(0), role(principal))
    assert (made.status, made.properties["createdBy"]) == (201, None)
    assert (await arm.get(assignment(0))).properties["createdBy"] is not None
    again = await arm.put(assignment(0), role(principal, description="why"))
    assert (again.status, again.properties["description"]) == (201, "why")
    gone = await arm.delete(assignment(0))
    assert (gone.status, gone.body["name"]) == (200, NAMES[0])
    assert (await arm.get(assignment(0))).code == "RoleAssignmentNotFound"


async def test_one_principal_holds_a_role_at_a_scope_once(arm):
    await arm.put(assignment(0), role(NAMES[0]))
    refused = await arm.put(assignment(1), role(NAMES[0]))
    assert (refused.status, refused.code) == (409, "RoleAssignmentExists")
    moved = await arm.put(assignment(0), role(NAMES[1]))
    assert (moved.status, moved.code) == (400, "RoleAssignmentUpdateNotPermitted")
    assert (await arm.put(assignment(2), role("wow"))).code == "InvalidPrincipalId"


async def test_a_young_principal_is_unknown_unless_its_type_is_said(emulated):
    clock = ManualClock()
    arm = await emulated(clock=clock, settings={"authorization.principal_replication_s": 60})
    principal = (await arm.put(IDENTITY, {"location": "eastus2"})).properties["principalId"]
    assert (await arm.put(assignment(0), role(principal))).code == "PrincipalNotFound"
    typed = role(principal, principalType="ServicePrincipal")
    assert (await arm.put(assignment(0), typed)).status == 201
    clock.advance(61)
    await arm.delete(assignment(0))
    assert (await arm.put(assignment(1), role(principal))).status == 201


async def test_a_list_at_a_scope_holds_what_is_above_and_not_what_is_below(arm):
    await arm.put(assignment(0), role(NAMES[0]))
    await arm.put(IDENTITY, {"location": "eastus2"})
    below = f"{arm.id(IDENTITY)}/providers/{assignment(1)}"
    assert (await arm.put(below, role(NAMES[0]))).status == 201
    listed = await arm.get("Microsoft.Authorization/roleAssignments", "&$filter=atScope()")
    assert [a["name"] for a in listed.body["value"]] == [NAMES[0]]
    everything = await arm.get("Microsoft.Authorization/roleAssignments")
    assert len(everything.body["value"]) == 2
    query = f"&$filter=principalId eq '{NAMES[1]}'"
    assert (await arm.get("Microsoft.Authorization/roleAssignments", query)).body["value"] == []


async def test_an_assignment_on_what_is_not_there_is_the_gateways_404(arm):
    refused = await arm.get(f"{arm.id(IDENTITY)}/providers/{assignment(1)}")
    assert (refused.status, refused.code) == (404, "ResourceNotFound")


async def test_roles_are_found_by_name_and_by_guid(arm):
    found = await arm.get(
        "Microsoft.Authorization/roleDefinitions", "&$filter=roleName eq 'reader'"
    )
    assert [r["name"] for r in found.body["value"]] == [ROLE]
    subscription = arm.id("").partition("/resourceGroups")[0]
    one = await arm.get(f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}")
    assert one.properties["roleName"] == "Reader"


async def test_a_component_spells_its_properties_and_gets_a_workspace_unasked(arm):
    path = "Microsoft.Insights/components/app"
    body = {"location": "eastus2", "kind": "web", "properties": {"Application_Type": "web"}}
    made = await arm.put(path, body)
    assert made.status == 200
    assert made.body["type"] == "microsoft.insights/components"
    assert made.properties["WorkspaceResourceId"].endswith("managed-app-ws")
    assert made.properties["IngestionMode"] == "LogAnalytics"
    listed = await arm.get("Microsoft.Insights/components")
    assert listed.body["nextLink"] is None
    assert (await arm.delete(path)).status == 200
    assert (await arm.delete(path)).status == 204


async def test_autoscale_is_off_unless_it_is_said_to_be_on(arm):
    trigger = {
        "metricName": "CpuUtilizationPercentage",
        "metricResourceUri": "/x",
        "timeGrain": "PT1M",
        "statistic": "Average",
        "timeWindow": "PT5M",
        "timeAggregation": "Average",
        "operator": "GreaterThan",
        "threshold": 75,
    }
    action = {"direction": "Increase", "type": "ChangeCount", "value": "1", "cooldown": "PT1M"}
    capacity = {"minimum": "1", "maximum": "3", "default": "1"}
    rules = [{"metricTrigger": trigger, "scaleAction": action}]
    profile = {"name": "p", "capacity": capacity, "rules": rules}
    body = {"location": "eastus2", "properties": {"profiles": [profile], "targetResourceUri": "/x"}}
    path = "Microsoft.Insights/autoscalesettings/scale"
    made = await arm.put(path, body)
    assert (made.status, made.properties["enabled"]) == (201, False)
    rule = made.properties["profiles"][0]["rules"][0]["metricTrigger"]
    assert (rule["dividePerInstance"], rule["metricNamespace"]) == (False, "")
    assert (await arm.put(path, body)).status == 200


@pytest.mark.parametrize("sku", ["PerGB2018"])
async def test_a_log_analytics_workspace_keeps_its_customer_id(arm, sku):
    path = "Microsoft.OperationalInsights/workspaces/logs"
    body = {"location": "eastus2", "properties": {"sku": {"name": sku}, "retentionInDays": 31}}
    first = await arm.put(path, body)
    second = await arm.put(path, body)
    assert (first.status, second.status) == (201, 200)
    assert first.properties["customerId"] == second.properties["customerId"]
    assert second.properties["retentionInDays"] == 31
