"""The HTTP interface, free of any web framework: what is asked, what is answered, and what each
answer looks like (``schemas``). ``function_app.py`` only carries them to and fro."""

from reconciler.http.answer import Answer, problem
from reconciler.http.routes import Request, cancel, environments, health, reconcile, run, runs

__all__ = [
    "Answer",
    "Request",
    "cancel",
    "environments",
    "health",
    "problem",
    "reconcile",
    "run",
    "runs",
]
