resource "azapi_resource" "registry" {
  count     = var.registry_id == "" ? 1 : 0
  type      = "Microsoft.ContainerRegistry/registries@2025-11-01"
  name      = local.names.registry
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    sku        = { name = "Basic" }
    properties = { adminUserEnabled = false }
  }

  response_export_values = ["properties.loginServer"]
}

locals {
  registry_id = try(azapi_resource.registry[0].id, var.registry_id)
  # The suffix of public Azure; for another cloud the registry has to be made here.
  registry_server = try(
    azapi_resource.registry[0].output.properties.loginServer,
    "${reverse(split("/", var.registry_id))[0]}.azurecr.io",
  )

  # Microsoft's sample for Functions on Container Apps: something has to run before the first push.
  # https://learn.microsoft.com/azure/container-apps/functions-usage
  image = coalesce(var.image, "mcr.microsoft.com/k8se/quickstart-functions:latest")
}
