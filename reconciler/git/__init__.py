"""Specs from Git: the text of the specs folder at a commit, without a work tree.

address, settings  what a repository, a branch, a commit and a folder may be called
credentials        tokens, asked for before every connection
cache              the folder that holds clones
ssh, command       the git binary, in an environment of its own making
errors             what git says, in sentences without secrets
clone              the cached clone: one user at once, thrown away when in doubt
objects            commits, trees and files, read through GitPython
specs              ``ports.Specs`` over all of them
"""

from reconciler.git.command import git_version
from reconciler.git.credentials import Credentials, entra_token, static_token
from reconciler.git.settings import GitSettings
from reconciler.git.specs import GitSpecs

__all__ = [
    "Credentials",
    "GitSettings",
    "GitSpecs",
    "entra_token",
    "git_version",
    "static_token",
]
