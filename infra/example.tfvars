# Copy to estate.auto.tfvars (Terraform reads that by itself) and change what is yours.

repository_url    = "https://github.com/contoso/ai-estate"
repository_branch = "main"
specs_path        = "specs"
forge             = "github"
schedule          = "0 */5 * * * *"

target_scopes = [
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ai-dev",
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ai-prod",
]

# Only after the secrets are in the vault. While the webhook's secret is being changed, add
# GITHUB_WEBHOOK_SECRET_OLD. On Azure Repos: AZURE_DEVOPS_WEBHOOK_USER and
# AZURE_DEVOPS_WEBHOOK_PASSWORD (docs/azure-devops.md).
forge_secrets = {
  GITHUB_APP_ID         = "github-app-id"
  GITHUB_PRIVATE_KEY    = "github-private-key"
  GITHUB_WEBHOOK_SECRET = "github-webhook-secret"
}
