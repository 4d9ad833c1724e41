# Forge secrets (webhook secret, app key, tokens). The values are put in by people or pipelines:
# Terraform never sees them, so its state holds none.

resource "azapi_resource" "vault" {
  type      = "Microsoft.KeyVault/vaults@2025-05-01"
  name      = local.names.vault
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    properties = {
      tenantId                  = data.azapi_client_config.current.tenant_id
      sku                       = { family = "A", name = "standard" }
      accessPolicies            = []
      enableRbacAuthorization   = true
      enablePurgeProtection     = true
      softDeleteRetentionInDays = 90
      publicNetworkAccess       = "Enabled"
    }
  }

  response_export_values = ["properties.vaultUri"]
}

locals {
  vault_uri = trimsuffix(azapi_resource.vault.output.properties.vaultUri, "/")

  # Without a version, so that a rotated secret is picked up.
  secret_uris = { for setting, secret in var.forge_secrets : setting => "${local.vault_uri}/secrets/${secret}" }
}
