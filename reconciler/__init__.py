"""Keeps an Azure AI estate (models, endpoints, hubs, projects and their like) as declared in Git."""

__version__ = "0.1.0"
