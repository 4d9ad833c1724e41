# Takes the place of one azapi_resource: keeps what would be sent, answers what the tests need.
# The answers come from a built-in resource, so they are unknown during the plan, as Azure's are.

variable "type" { type = string }
variable "name" { type = string }
variable "parent_id" { type = string }
variable "body" { type = any }

variable "location" {
  type    = string
  default = null
}

variable "tags" {
  type    = map(string)
  default = null
}

variable "identity" {
  type    = object({ type = string, identity_ids = list(string) })
  default = null
}

variable "response_export_values" {
  type    = list(string)
  default = []
}

variable "retry" {
  type    = object({ error_message_regex = list(string) })
  default = null
}

locals {
  resource_type = split("@", var.type)[0]
  segment       = reverse(split("/", local.resource_type))[0]
  path = (
    local.resource_type == "Microsoft.Resources/resourceGroups" ? "resourceGroups/${var.name}" :
    length(split("/", local.resource_type)) > 2 ? "${local.segment}/${var.name}" :
    "providers/${local.resource_type}/${var.name}"
  )
  answers = {
    "properties.clientId"                   = uuidv5("oid", "client ${var.name}")
    "properties.principalId"                = uuidv5("oid", "principal ${var.name}")
    "properties.primaryEndpoints"           = { blob = "https://${var.name}.blob.core.windows.net/" }
    "properties.vaultUri"                   = "https://${var.name}.vault.azure.net/"
    "properties.loginServer"                = "${var.name}.azurecr.io"
    "properties.ConnectionString"           = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
    "properties.configuration.ingress.fqdn" = "${var.name}.region.azurecontainerapps.io"
    "properties.defaultHostName"            = "${var.name}.azurewebsites.net"
  }
}

resource "terraform_data" "sent" {
  input = {
    type      = var.type
    name      = var.name
    parent_id = var.parent_id
    location  = var.location
    tags      = var.tags
    identity  = var.identity
    body      = var.body
    id        = "${var.parent_id}/${local.path}"
    answers   = { for path, answer in local.answers : path => answer if contains(var.response_export_values, path) }
  }
}

output "id" { value = terraform_data.sent.output.id }
output "name" { value = var.name }

output "output" {
  value = {
    properties = merge(
      { for path, answer in terraform_data.sent.output.answers : split(".", path)[1] => answer if length(split(".", path)) == 2 },
      { configuration = { ingress = { fqdn = try(terraform_data.sent.output.answers["properties.configuration.ingress.fqdn"], null) } } },
    )
  }
}
