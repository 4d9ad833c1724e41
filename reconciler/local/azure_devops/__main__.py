"""`python -m reconciler.local.azure_devops`."""

from reconciler.local.azure_devops.main import main

main()
