# Functions as a feature of Container Apps (`kind = "functionapp"`): the platform makes the scale
# rules from the triggers. https://learn.microsoft.com/azure/container-apps/functions-overview

resource "azapi_resource" "environment" {
  count     = local.on_container_apps ? 1 : 0
  type      = "Microsoft.App/managedEnvironments@2025-07-01"
  name      = local.names.environment
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    properties = {
      # To Log Analytics by a diagnostic setting: the direct way needs the workspace's shared key.
      appLogsConfiguration = { destination = "azure-monitor" }
      workloadProfiles     = [{ name = "Consumption", workloadProfileType = "Consumption" }]
    }
  }
}

locals {
  # The names of Container Apps secrets are lower case with hyphens.
  secret_names = { for setting, uri in local.secret_uris : setting => lower(replace(setting, "_", "-")) }

  # The sample image knows nothing of /api/health.
  probes = var.image == "" ? [] : [
    for kind in ["Startup", "Readiness", "Liveness"] : {
      type             = kind
      httpGet          = { path = "/api/health", port = 80 }
      periodSeconds    = 10
      timeoutSeconds   = 5
      failureThreshold = kind == "Startup" ? 30 : 3
    }
  ]
}

resource "azapi_resource" "app" {
  count     = local.on_container_apps ? 1 : 0
  type      = "Microsoft.App/containerApps@2025-07-01"
  name      = local.names.app
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.app_tags

  identity {
    type         = "UserAssigned"
    identity_ids = local.identity_ids
  }

  body = {
    kind = "functionapp"
    properties = {
      environmentId       = azapi_resource.environment[0].id
      workloadProfileName = "Consumption"
      configuration = {
        activeRevisionsMode = "Single"
        ingress = {
          external      = true
          targetPort    = 80
          transport     = "auto"
          allowInsecure = false
          traffic       = [{ latestRevision = true, weight = 100 }]
        }
        registries = [{ server = local.registry_server, identity = azapi_resource.identity["host"].id }]
        secrets = [
          for setting, uri in local.secret_uris : {
            name        = local.secret_names[setting]
            keyVaultUrl = uri
            identity    = azapi_resource.identity["host"].id
          }
        ]
      }
      template = {
        containers = [
          {
            name      = "reconciler"
            image     = local.image
            resources = { cpu = 0.5, memory = "1Gi" }
            probes    = local.probes
            env = concat(
              [for name, value in local.settings : { name = name, value = value }],
              [for name, secret in local.secret_names : { name = name, secretRef = secret }],
            )
          }
        ]
        scale = { minReplicas = var.replicas.min, maxReplicas = var.replicas.max }
      }
    }
  }

  response_export_values = ["properties.configuration.ingress.fqdn"]

  # Its image, its secrets and its queue need the roles first.
  depends_on = [azapi_resource.role, azapi_resource.queue]
}
