"""The forge behind ``ports.Forge``: GitHub, over githubkit.

settings               what an operator may choose
webhook                what GitHub sends: verified, and understood as far as it matters
connection             the only module that knows githubkit: a request, an answer
client, pace, trouble  when a request is sent, sent again, or given up with a sentence
tokens                 a token, or an App's installation tokens
pulls                  reading pull requests
comments, checks, issues   saying, marking and keeping issues
github                 ``ports.Forge`` over all of them
"""

from reconciler.forge.github import GitHub
from reconciler.forge.settings import GitHubSettings

__all__ = ["GitHub", "GitHubSettings"]
