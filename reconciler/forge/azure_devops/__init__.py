"""Azure Repos behind ``ports.Forge``, over azure-core's pipeline.

settings, place        what an operator may choose, much of it from the repository's address
webhook                what a service hook sends: verified, and understood as far as it matters
connection, transport  a request, an answer
client, trouble        when a request is sent, sent again, or given up with a sentence
people                 who we are, and who may write
pulls, policies        reading pull requests, and the rules of their branch
reviews                votes, and which of them are about the newest commit
threads, numbers       comments, and one number for each
statuses, work_items   marks and issues
azure_devops           ``ports.Forge`` over all of them
"""

from reconciler.forge.azure_devops.azure_devops import AzureDevOps
from reconciler.forge.azure_devops.settings import AzureDevOpsSettings

__all__ = ["AzureDevOps", "AzureDevOpsSettings"]
