"""The API versions of Microsoft.CognitiveServices that are served, all with the newest shape."""

API_VERSIONS = (
    "2023-05-01",
    "2024-06-01-preview",
    "2024-10-01",
    "2025-04-01-preview",
    "2025-06-01",
    "2025-07-01-preview",
    "2025-09-01",
    "2025-10-01-preview",
    "2025-12-01",
    "2026-01-15-preview",
    "2026-03-01",
    "2026-05-01",
    "2026-05-15-preview",
)
