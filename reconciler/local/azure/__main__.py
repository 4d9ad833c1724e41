"""`python -m reconciler.local.azure`."""

from reconciler.local.azure.main import main

main()
