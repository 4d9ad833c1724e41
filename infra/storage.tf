# The queue that runs travel on and the container with runs, the owned list and leases. Only
# identities get in: shared keys are off.

resource "azapi_resource" "storage" {
  type      = "Microsoft.Storage/storageAccounts@2025-08-01"
  name      = local.names.storage
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind = "StorageV2"
    sku  = { name = "Standard_LRS" }
    properties = {
      accessTier                   = "Hot"
      allowBlobPublicAccess        = false
      allowCrossTenantReplication  = false
      allowSharedKeyAccess         = false
      defaultToOAuthAuthentication = true
      minimumTlsVersion            = "TLS1_2"
      publicNetworkAccess          = "Enabled"
      supportsHttpsTrafficOnly     = true
    }
  }

  response_export_values = ["properties.primaryEndpoints"]
}

resource "azapi_resource" "blobs" {
  type      = "Microsoft.Storage/storageAccounts/blobServices@2025-08-01"
  name      = "default"
  parent_id = azapi_resource.storage.id
  body = {
    properties = {
      # A week to undo a deletion by mistake: without its owned list the reconciler deletes nothing.
      deleteRetentionPolicy          = { enabled = true, days = 7 }
      containerDeleteRetentionPolicy = { enabled = true, days = 7 }
    }
  }
}

resource "azapi_resource" "container" {
  type      = "Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01"
  name      = "reconciler"
  parent_id = azapi_resource.blobs.id
  body      = { properties = { publicAccess = "None" } }
}

resource "azapi_resource" "queues" {
  type      = "Microsoft.Storage/storageAccounts/queueServices@2025-08-01"
  name      = "default"
  parent_id = azapi_resource.storage.id
  body      = { properties = {} }
}

resource "azapi_resource" "queue" {
  for_each  = toset(["reconcile", "reconcile-poison"])
  type      = "Microsoft.Storage/storageAccounts/queueServices/queues@2025-08-01"
  name      = each.key
  parent_id = azapi_resource.queues.id
  body      = { properties = {} }
}
