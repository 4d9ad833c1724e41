"""Plans and runs as people and programs see them: text, Markdown and JSON of the same facts.

Names, values and messages come from specs and from Azure: they are data. Whatever they hold, they
stay on their line, inside their quotes, and can neither steer a terminal nor add structure, links
or mentions to a comment.
"""

from reconciler.core.render.as_json import plan_json, run_json
from reconciler.core.render.markdown import Links
from reconciler.core.render.preview_markdown import plan_markdown, preview_markdown
from reconciler.core.render.run_markdown import run_markdown
from reconciler.core.render.text import Line, plain, plan_text, run_text

__all__ = [
    "Line",
    "Links",
    "plain",
    "plan_json",
    "plan_markdown",
    "plan_text",
    "preview_markdown",
    "run_json",
    "run_markdown",
    "run_text",
]
