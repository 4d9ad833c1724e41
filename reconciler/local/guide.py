"""What to tell a person about a sandbox: where everything is, and lines to try."""

from reconciler.local.repository import BRANCH
from reconciler.local.sandbox import Sandbox


def places(found: Sandbox) -> str:
    """Where everything is."""
    return f"""\
The repository       {found.github}/{found.repository}
  a clone to edit    {found.work}
The Function App     {found.app}
  its key            {found.key}
  its log            {found.log}
The emulated Azure   {found.azure}"""


def steps(found: Sandbox) -> str:
    """Lines for another terminal: a pull request, and what else can be asked."""
    tokens = "\n  ".join(f"{name}={token}" for name, token in found.tokens.items())
    return f"""\
A pull request, in another terminal:
  cd {found.work}
  git fetch && git switch -c mine origin/{BRANCH}
  # change something in the specs
  git commit -am "Mine" && git push origin mine
The push tells the page to open it on; comment and merge there. Or, with curl:
  {tokens}
  api={found.api}/repos/{found.repository}
  as() {{ curl -s -H "Authorization: Bearer $1" "${{@:2}}"; }}
  as $developer $api/pulls -d '{{"title":"Mine","head":"mine","base":"{BRANCH}"}}'
  number=1  # the one in its answer
  as $developer $api/issues/$number/comments -d '{{"body":"/plan"}}'
  as $maintainer -X PUT $api/pulls/$number/merge

The app and its state:
  key="x-functions-key: {found.key}"
  curl -s -H "$key" {found.app}/api/environments
  curl -s -H "$key" {found.app}/api/runs
  export RECONCILER_STATE={found.state}
  reconciler runs"""
