# Where.

variable "environment_name" {
  description = "Name of this installation: names and tags are made from it (azd: AZURE_ENV_NAME)."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.environment_name))
    error_message = "3 to 20 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "subscription_id" {
  description = "Subscription that the app itself lives in (azd: AZURE_SUBSCRIPTION_ID)."
  type        = string
  validation {
    condition     = can(regex("^[0-9a-fA-F-]{36}$", var.subscription_id))
    error_message = "A subscription id is a GUID."
  }
}

variable "location" {
  description = "Azure region of everything made here (azd: AZURE_LOCATION)."
  type        = string
}

variable "names" {
  description = "Names to use instead of the generated ones, by key of local.names."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags for everything made here."
  type        = map(string)
  default     = {}
}

# What to watch, and how often.

variable "repository_url" {
  description = "Repository of the specs, https:// or ssh://; never with a token in it."
  type        = string
  validation {
    condition     = !can(regex("^[a-z+]+://[^/]*:[^/]*@", var.repository_url))
    error_message = "The URL holds a password or token: it belongs in Key Vault (forge_secrets)."
  }
}

variable "repository_branch" {
  description = "Branch whose head is what Azure should be."
  type        = string
  default     = "main"
}

variable "specs_path" {
  description = "Folder of the specs inside the repository."
  type        = string
  default     = "specs"
}

variable "forge" {
  description = "Where pull requests are: github, azuredevops, or none."
  type        = string
  default     = "github"
  validation {
    condition     = contains(["github", "azuredevops", "none"], var.forge)
    error_message = "One of github, azuredevops, none."
  }
  validation {
    condition     = var.forge != "github" || !can(regex("(dev\\.azure\\.com|visualstudio\\.com)[/:]", var.repository_url))
    error_message = "The repository is on Azure Repos: set forge to azuredevops (or none)."
  }
}

variable "schedule" {
  description = "NCRONTAB of the sweep that finds drift and missed events: six fields, UTC."
  type        = string
  default     = "0 */5 * * * *"
  validation {
    condition     = length(split(" ", trimspace(var.schedule))) == 6
    error_message = "NCRONTAB has six fields: second, minute, hour, day, month, day of the week."
  }
}

variable "budget_s" {
  description = "Seconds one invocation may advance a run before it goes back on the queue."
  type        = number
  default     = 180
  validation {
    condition     = var.budget_s >= 10 && var.budget_s <= 540
    error_message = "Between 10 and 540: a function's time-out has to leave room for saving."
  }
}

variable "forge_secrets" {
  description = "App setting to name of the Key Vault secret that holds it. Put the secrets first."
  type        = map(string)
  default     = {}
  validation {
    condition = alltrue([
      for name, secret in var.forge_secrets :
      can(regex("^[A-Z][A-Z0-9_]*$", name)) && can(regex("^[0-9A-Za-z-]{1,127}$", secret))
    ])
    error_message = "Settings are upper case with underscores; secrets letters, digits and hyphens."
  }
}

variable "extra_settings" {
  description = "More app settings (see the README); they win over the generated ones. No secrets."
  type        = map(string)
  default     = {}
}

# What it may do to the estate.

variable "target_scopes" {
  description = "ARM ids of the resource groups (or subscriptions) that the specs describe."
  type        = list(string)
  default     = []
  validation {
    condition = alltrue([
      for scope in var.target_scopes :
      can(regex("^/subscriptions/[0-9a-fA-F-]{36}(/resourceGroups/[^/]+)?$", scope))
    ])
    error_message = "/subscriptions/GUID or /subscriptions/GUID/resourceGroups/NAME, spelled so."
  }
}

variable "apply_access" {
  description = "contributor: Contributor. ai: only Cognitive Services and Machine Learning."
  type        = string
  default     = "contributor"
  validation {
    condition     = contains(["contributor", "ai"], var.apply_access)
    error_message = "One of contributor, ai."
  }
}

variable "data_roles" {
  description = "Role GUIDs the apply identity gets for smoke tests; Cognitive Services OpenAI User."
  type        = list(string)
  default     = ["5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"]
}

variable "assignable_roles" {
  description = "Role GUIDs that specs may assign to managed identities; none: no RoleAssignment."
  type        = list(string)
  default     = []
}

variable "allow_purge" {
  description = "Let the apply identity purge soft-deleted accounts and vaults."
  type        = bool
  default     = false
}

# How it runs.

variable "hosting" {
  description = "container-apps (scales to zero) or elastic-premium (always one instance warm)."
  type        = string
  default     = "container-apps"
  validation {
    condition     = contains(["container-apps", "elastic-premium"], var.hosting)
    error_message = "One of container-apps, elastic-premium."
  }
}

variable "elastic_premium_sku" {
  description = "Size of the Elastic Premium plan."
  type        = string
  default     = "EP1"
}

variable "image" {
  description = "Image to run; empty: a public sample, until the first deployment of the real one."
  type        = string
  default     = ""
}

variable "registry_id" {
  description = "ARM id of an existing container registry to pull from; empty: one is made here."
  type        = string
  default     = ""
}

variable "replicas" {
  description = "Fewest and most replicas (instances, on Elastic Premium)."
  type        = object({ min = number, max = number })
  default     = { min = 0, max = 5 }
  validation {
    condition     = var.replicas.min >= 0 && var.replicas.max >= max(var.replicas.min, 1)
    error_message = "min has to be 0 or more, max at least 1 and not below min."
  }
}

variable "retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
}

variable "operator_principal_id" {
  description = "Object id of who puts secrets into the vault (azd: AZURE_PRINCIPAL_ID); may be empty."
  type        = string
  default     = ""
}

variable "operator_principal_type" {
  description = "What that is: User, Group or ServicePrincipal."
  type        = string
  default     = "User"
}
