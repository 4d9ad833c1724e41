locals {
  subscription = "/subscriptions/${var.subscription_id}"

  # Globally unique names need something that no other installation has.
  token = substr(sha1("${var.subscription_id}/${var.environment_name}/${var.location}"), 0, 8)
  short = substr(replace(var.environment_name, "-", ""), 0, 10)

  names = merge({
    group       = "rg-${var.environment_name}"
    storage     = "st${local.short}${local.token}"
    vault       = "kv-${local.short}-${local.token}"
    registry    = "cr${local.short}${local.token}"
    logs        = "log-${var.environment_name}"
    insights    = "appi-${var.environment_name}"
    host        = "id-${var.environment_name}-host"
    plan        = "id-${var.environment_name}-plan"
    apply       = "id-${var.environment_name}-apply"
    environment = "cae-${var.environment_name}"
    server      = "plan-${var.environment_name}"
    app         = "ca-${local.short}-${local.token}"
  }, var.names)

  # azd finds what it made, and what it deploys to, by these two tags.
  tags     = merge(var.tags, { "azd-env-name" = var.environment_name })
  app_tags = merge(local.tags, { "azd-service-name" = "reconciler" })

  on_container_apps = var.hosting == "container-apps"
}

resource "azapi_resource" "group" {
  type      = "Microsoft.Resources/resourceGroups@2025-04-01"
  name      = local.names.group
  parent_id = local.subscription
  location  = var.location
  tags      = local.tags
  body      = {}
}
