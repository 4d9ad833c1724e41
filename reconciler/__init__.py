"""Keeps an Azure AI estate (models, endpoints, hubs, projects …) as it is declared in Git."""

__version__ = "0.1.0"
