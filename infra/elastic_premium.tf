# The same image on an Elastic Premium plan, for those who need instances that are always warm.
# https://learn.microsoft.com/azure/azure-functions/functions-premium-plan

resource "azapi_resource" "server" {
  count     = local.on_container_apps ? 0 : 1
  type      = "Microsoft.Web/serverfarms@2024-04-01"
  name      = local.names.server
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind       = "elastic"
    sku        = { name = var.elastic_premium_sku, tier = "ElasticPremium" }
    properties = { reserved = true, maximumElasticWorkerCount = var.replicas.max }
  }
}

resource "azapi_resource" "site" {
  count     = local.on_container_apps ? 0 : 1
  type      = "Microsoft.Web/sites@2024-04-01"
  name      = local.names.app
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags

  identity {
    type         = "UserAssigned"
    identity_ids = local.identity_ids
  }

  body = {
    kind = "functionapp,linux,container"
    properties = {
      serverFarmId              = azapi_resource.server[0].id
      httpsOnly                 = true
      keyVaultReferenceIdentity = azapi_resource.identity["host"].id
      siteConfig = {
        linuxFxVersion              = "DOCKER|${local.image}"
        acrUseManagedIdentityCreds  = true
        acrUserManagedIdentityID    = local.client_ids.host
        healthCheckPath             = "/api/health"
        minTlsVersion               = "1.2"
        ftpsState                   = "Disabled"
        http20Enabled               = true
        minimumElasticInstanceCount = max(var.replicas.min, 1)
        appSettings = concat(
          [for name, value in local.settings : { name = name, value = value }],
          [
            for name, uri in local.secret_uris :
            { name = name, value = "@Microsoft.KeyVault(SecretUri=${uri})" }
          ],
          # The code is in the image: no file share, which would need a storage key.
          [{ name = "WEBSITES_ENABLE_APP_SERVICE_STORAGE", value = "false" }],
        )
      }
    }
  }

  response_export_values = ["properties.defaultHostName"]

  depends_on = [azapi_resource.role, azapi_resource.queue]
}
