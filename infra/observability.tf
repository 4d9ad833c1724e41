resource "azapi_resource" "logs" {
  type      = "Microsoft.OperationalInsights/workspaces@2023-09-01"
  name      = local.names.logs
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    properties = {
      sku             = { name = "PerGB2018" }
      retentionInDays = var.retention_days
      features        = { disableLocalAuth = true }
    }
  }
}

resource "azapi_resource" "insights" {
  type      = "Microsoft.Insights/components@2020-02-02"
  name      = local.names.insights
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind = "web"
    properties = {
      Application_Type    = "web"
      WorkspaceResourceId = azapi_resource.logs.id
      DisableLocalAuth    = true
    }
  }

  response_export_values = ["properties.ConnectionString"]
}

locals {
  # Who read a secret, who changed state, who pulled or pushed an image, and what the app printed.
  watched = merge(
    {
      vault = {
        scope = azapi_resource.vault.id
        logs  = [{ categoryGroup = "audit", enabled = true }]
      }
      blobs = {
        scope = azapi_resource.blobs.id
        logs  = [for change in ["StorageWrite", "StorageDelete"] : { category = change, enabled = true }]
      }
      queues = {
        scope = azapi_resource.queues.id
        logs  = [for change in ["StorageWrite", "StorageDelete"] : { category = change, enabled = true }]
      }
    },
    var.registry_id != "" ? {} : {
      registry = {
        scope = azapi_resource.registry[0].id
        logs  = [{ categoryGroup = "audit", enabled = true }]
      }
    },
    !local.on_container_apps ? {} : {
      environment = {
        scope = azapi_resource.environment[0].id
        logs  = [{ categoryGroup = "allLogs", enabled = true }]
      }
    },
    local.on_container_apps ? {} : {
      site = {
        scope = azapi_resource.site[0].id
        logs  = [{ category = "FunctionAppLogs", enabled = true }]
      }
    },
  )
}

resource "azapi_resource" "diagnostics" {
  for_each  = local.watched
  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  name      = "to-log-analytics"
  parent_id = each.value.scope
  body = {
    properties = {
      workspaceId = azapi_resource.logs.id
      logs        = each.value.logs
    }
  }
}
