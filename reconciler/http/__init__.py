"""The HTTP interface, free of any web framework: what is asked, what is answered, and what each
answer looks like (``schemas``). ``function_app.py`` only carries them to and fro."""

from reconciler.http.answer import Answer
from reconciler.http.routes import Request, answer

__all__ = ["Answer", "Request", "answer"]
