# Three identities, so that none can do what another is for: the host reads its queue, state and
# secrets but nothing of the estate; plan reads the estate; apply changes it.

resource "azapi_resource" "identity" {
  for_each  = toset(["host", "plan", "apply"])
  type      = "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30"
  name      = local.names[each.key]
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body      = {}

  response_export_values = ["properties.clientId", "properties.principalId"]
}

locals {
  identity_ids  = [for name in ["host", "plan", "apply"] : azapi_resource.identity[name].id]
  client_ids    = { for name, made in azapi_resource.identity : name => made.output.properties.clientId }
  principal_ids = { for name, made in azapi_resource.identity : name => made.output.properties.principalId }
}
