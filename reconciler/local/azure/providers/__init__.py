"""The emulated resource providers, by namespace.

Modules that are present are found by name, so that adding a provider is adding a file.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from reconciler.local.azure.model import Provider


@cache
def providers() -> tuple[Provider, ...]:
    """Every module of this package that offers a PROVIDER."""
    found: list[Provider] = []
    for info in sorted(iter_modules(__path__), key=lambda info: info.name):
        module = import_module(f"{__name__}.{info.name}")
        if (one := getattr(module, "PROVIDER", None)) is not None:
            found.append(one)
    return tuple(found)
