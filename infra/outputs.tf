locals {
  app_host = try(
    azapi_resource.app[0].output.properties.configuration.ingress.fqdn,
    azapi_resource.site[0].output.properties.defaultHostName,
  )
}

output "AZURE_RESOURCE_GROUP" {
  value = azapi_resource.group.name
}

output "AZURE_CONTAINER_REGISTRY_ENDPOINT" {
  description = "Where azd pushes the image."
  value       = local.registry_server
}

output "RECONCILER_URL" {
  value = "https://${local.app_host}"
}

output "RECONCILER_WEBHOOK_URL" {
  description = "What the forge posts its events to; null without a forge."
  value       = var.forge == "none" ? null : "https://${local.app_host}/api/webhooks/${var.forge}"
}

output "RECONCILER_KEY_VAULT" {
  value = azapi_resource.vault.name
}

output "RECONCILER_STORAGE_ACCOUNT" {
  value = azapi_resource.storage.name
}

output "RECONCILER_HOST_CLIENT_ID" {
  value = local.client_ids.host
}

output "RECONCILER_PLAN_CLIENT_ID" {
  value = local.client_ids.plan
}

output "RECONCILER_APPLY_CLIENT_ID" {
  value = local.client_ids.apply
}

output "RECONCILER_NEXT" {
  description = "What is still to be done by a person."
  value = join("\n", concat(
    length(var.target_scopes) > 0 ? [] : ["Name the resource groups to manage in target_scopes: the identities may not see anything yet."],
    var.forge == "none" || length(var.forge_secrets) > 0 ? [] : ["Put the forge's secrets into Key Vault ${azapi_resource.vault.name}, name them in forge_secrets, provision again."],
    var.image != "" ? [] : ["The sample image is running: deploy the real one (azd deploy), provision again."],
    var.forge == "none" ? [] : ["Point the forge's webhook at https://${local.app_host}/api/webhooks/${var.forge}."],
    ["Follow docs/deploy.md from step 7 on; each step says how to check it."],
  ))
}
