"""`python -m reconciler.local.github`."""

from reconciler.local.github.main import main

main()
