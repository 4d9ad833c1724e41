locals {
  blob_endpoint = trimsuffix(azapi_resource.storage.output.properties.primaryEndpoints.blob, "/")

  # The same for both hostings. Names with `__` are how Functions spells an identity-based connection:
  # https://learn.microsoft.com/azure/azure-functions/functions-reference#connections
  settings = merge({
    FUNCTIONS_EXTENSION_VERSION = "~4"
    FUNCTIONS_WORKER_RUNTIME    = "python"

    AzureWebJobsStorage__accountName = azapi_resource.storage.name
    AzureWebJobsStorage__credential  = "managedidentity"
    AzureWebJobsStorage__clientId    = local.client_ids.host
    AzureWebJobsSecretStorageType    = "blob"

    APPLICATIONINSIGHTS_CONNECTION_STRING     = azapi_resource.insights.output.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${local.client_ids.host};Authorization=AAD"

    # The identity that azure-identity takes where none is named: state, queue and secrets.
    AZURE_CLIENT_ID = local.client_ids.host

    RECONCILER_REPO_URL        = var.repository_url
    RECONCILER_BRANCH          = var.repository_branch
    RECONCILER_SPECS_PATH      = var.specs_path
    RECONCILER_FORGE           = var.forge
    RECONCILER_SCHEDULE        = var.schedule
    RECONCILER_BUDGET_S        = tostring(var.budget_s)
    RECONCILER_STATE           = "blob:${local.blob_endpoint}/${azapi_resource.container.name}"
    RECONCILER_PLAN_CLIENT_ID  = local.client_ids.plan
    RECONCILER_APPLY_CLIENT_ID = local.client_ids.apply
  }, var.extra_settings)
}
