locals {
  # Built-in roles by GUID: names can be changed, these cannot.
  # https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
  builtin = {
    reader                 = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    contributor            = "b24988ac-6180-42a0-ab88-20f7382dd24c"
    cognitive_contributor  = "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68"
    ml_data_scientist      = "f6c7c914-8db3-469d-8ca1-694a8f32e121"
    rbac_administrator     = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
    storage_blob_owner     = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
    storage_queue_data     = "974c5e8b-45b9-4653-ba55-0fc855dd0fb2"
    vault_secrets_user     = "4633458b-17de-408a-b874-0445c86b69e6"
    vault_secrets_officer  = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
    acr_pull               = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    monitoring_metrics_pub = "3913510d-42f4-4e42-8a64-420c390055eb"
  }

  target_subscriptions = toset([for scope in var.target_scopes : join("/", slice(split("/", scope), 0, 3))])
  # Quota, models and soft-deleted names live at the subscription, outside of any resource group.
  narrow_subscriptions = setsubtract(local.target_subscriptions, var.target_scopes)

  custom_roles = {
    subscription-reader = {
      wanted      = length(local.narrow_subscriptions) > 0
      description = "Quota, models and soft-deleted names: what a plan reads outside of resource groups."
      actions = [
        "Microsoft.CognitiveServices/locations/*/read",
        "Microsoft.CognitiveServices/deletedAccounts/read",
        "Microsoft.CognitiveServices/modelCapacities/read",
        "Microsoft.KeyVault/locations/deletedVaults/read",
        "Microsoft.MachineLearningServices/locations/*/read",
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Resources/subscriptions/providers/read",
      ]
    }
    workspace-writer = {
      wanted      = var.apply_access == "ai" && length(var.target_scopes) > 0
      description = "Machine Learning workspaces, hubs and what is in them, and their autoscale settings."
      actions = [
        "Microsoft.Insights/autoscalesettings/*",
        "Microsoft.MachineLearningServices/workspaces/*",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
      ]
    }
    purger = {
      wanted      = var.allow_purge && length(var.target_scopes) > 0
      description = "Purge soft-deleted accounts and vaults, where a spec asks for it."
      actions = [
        "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/read",
        "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/delete",
        "Microsoft.KeyVault/locations/deletedVaults/read",
        "Microsoft.KeyVault/locations/deletedVaults/purge/action",
      ]
    }
  }
  custom_ids = { for name, role in local.custom_roles : name => uuidv5("oid", "${local.subscription}/${var.environment_name}/${name}") }

  # Grant a role only for listed roles, and only to managed identities and applications.
  # https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
  listed_roles = "{${join(", ", var.assignable_roles)}}"
  assign_listed_roles = join(" AND ", [
    for verb, source in { write = "@Request", delete = "@Resource" } : join("", [
      "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${verb}'})) OR (",
      "${source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals ${local.listed_roles}",
      " AND ",
      "${source}[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}",
      "))",
    ])
  ])

  apply_roles = concat(
    var.apply_access == "contributor" ? [local.builtin.contributor] : [
      local.builtin.reader,
      local.builtin.cognitive_contributor,
      local.builtin.ml_data_scientist,
      local.custom_ids.workspace-writer,
    ],
    var.data_roles,
  )

  # What each identity may do where. Keys are known before anything exists.
  grants = merge(
    {
      host-blobs   = { who = "host", scope = azapi_resource.storage.id, role = local.builtin.storage_blob_owner }
      host-queues  = { who = "host", scope = azapi_resource.storage.id, role = local.builtin.storage_queue_data }
      host-secrets = { who = "host", scope = azapi_resource.vault.id, role = local.builtin.vault_secrets_user }
      host-image   = { who = "host", scope = local.registry_id, role = local.builtin.acr_pull }
      host-metrics = { who = "host", scope = azapi_resource.insights.id, role = local.builtin.monitoring_metrics_pub }
    },
    var.operator_principal_id == "" ? {} : {
      operator-secrets = { who = "operator", scope = azapi_resource.vault.id, role = local.builtin.vault_secrets_officer }
    },
    { for scope in var.target_scopes : "plan ${scope}" => { who = "plan", scope = scope, role = local.builtin.reader } },
    {
      for pair in setproduct(var.target_scopes, local.apply_roles) :
      "apply ${pair[0]} ${pair[1]}" => { who = "apply", scope = pair[0], role = pair[1] }
    },
    {
      for pair in setproduct(local.narrow_subscriptions, ["plan", "apply"]) :
      "${pair[1]} ${pair[0]} reads" => { who = pair[1], scope = pair[0], role = local.custom_ids.subscription-reader }
    },
    {
      for scope in var.allow_purge ? local.target_subscriptions : [] :
      "apply ${scope} purges" => { who = "apply", scope = scope, role = local.custom_ids.purger }
    },
    {
      for scope in length(var.assignable_roles) > 0 ? var.target_scopes : [] :
      "apply ${scope} assigns" => { who = "apply", scope = scope, role = local.builtin.rbac_administrator }
    },
  )
}

resource "azapi_resource" "custom_role" {
  for_each  = { for name, role in local.custom_roles : name => role if role.wanted }
  type      = "Microsoft.Authorization/roleDefinitions@2022-04-01"
  name      = local.custom_ids[each.key]
  parent_id = sort(local.target_subscriptions)[0]
  body = {
    properties = {
      roleName         = "Reconciler ${each.key} (${var.environment_name})"
      description      = each.value.description
      type             = "CustomRole"
      permissions      = [{ actions = each.value.actions, notActions = [], dataActions = [], notDataActions = [] }]
      assignableScopes = sort(local.target_subscriptions)
    }
  }
}

resource "azapi_resource" "role" {
  for_each = local.grants
  type     = "Microsoft.Authorization/roleAssignments@2022-04-01"
  # The same triple has the same name, so that making it again finds it.
  name      = uuidv5("oid", lower("${each.value.scope}|${each.value.role}|${local.principals[each.value.who].id}"))
  parent_id = each.value.scope
  body = {
    properties = merge(
      {
        roleDefinitionId = "/${join("/", slice(split("/", each.value.scope), 1, 3))}/providers/Microsoft.Authorization/roleDefinitions/${each.value.role}"
        principalId      = local.principals[each.value.who].id
        principalType    = local.principals[each.value.who].type
      },
      each.value.role != local.builtin.rbac_administrator ? {} : {
        condition        = local.assign_listed_roles
        conditionVersion = "2.0"
      },
    )
  }

  # A new identity is not known everywhere at once.
  # https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
  retry = { error_message_regex = ["PrincipalNotFound", "RoleDefinitionDoesNotExist"] }

  depends_on = [azapi_resource.custom_role]
}

locals {
  principals = merge(
    { for name, id in local.principal_ids : name => { id = id, type = "ServicePrincipal" } },
    { operator = { id = var.operator_principal_id, type = var.operator_principal_type } },
  )
}
