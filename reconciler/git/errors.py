"""What git says, in sentences of our own: never its words unfiltered, never a secret."""

import re
from typing import Final

from reconciler.core.errors import Permanent, Transient

_NOT_FOUND: Final = (
    "the repository is not there, or this credential may not see it: check RECONCILER_REPO_URL "
    "and what the token or identity may read"
)
_DENIED: Final = (
    "the repository refused the credential: it is missing, wrong, expired, or may not read it "
    "(GITHUB_TOKEN, the managed identity's access, or the SSH key)"
)
_GONE: Final = (
    "the commit or branch is not in the repository (any more): it was deleted, or the branch was "
    "force-pushed; reconcile the newest commit instead"
)
_UNKNOWN_HOST: Final = (
    "the SSH host key is not the known one: put the right one into RECONCILER_SSH_KNOWN_HOSTS"
)
_CERTIFICATE: Final = (
    "the server's certificate is not trusted: set SSL_CERT_FILE to the authority that signed it"
)
_MOVED: Final = (
    "the repository has moved: set RECONCILER_REPO_URL to its new address (some servers want .git "
    "at its end)"
)
_OWNER: Final = (
    "the repository's folder belongs to another user, so git refuses to read it: change its owner"
)
_TOO_LARGE: Final = (
    "the repository sends more than a fetch may write: keep the specs in a smaller repository"
)
_SINGLE: Final = (
    "the server does not give out single commits: it needs uploadpack.allowReachableSHA1InWant"
)

_DAMAGED: Final = "what arrived was damaged"

# In this order: a line about a broken connection often follows the one that says why.
_PERMANENT: Final = (
    (r"died of signal 25|File too large", _TOO_LARGE),
    (r"dubious ownership", _OWNER),
    (r"Host key verification failed|HOST IDENTIFICATION HAS CHANGED", _UNKNOWN_HOST),
    (r"certificate|SSL peer", _CERTIFICATE),
    (r"not our ref|couldn't find remote ref|no such remote ref", _GONE),
    (r"unadvertised object", _SINGLE),
    (r"returned error: 30\d|update url base", _MOVED),
    (r"Authentication failed|could not read (Username|Password)|error: 40[13]\b", _DENIED),
    (r"Invalid username or|Permission denied \(|[Aa]ccess denied", _DENIED),
    (r"error: 404\b|[Rr]epository .*not found|TF401019", _NOT_FOUND),
    (r"does not (appear to be a git repository|exist)|not a git repository", _NOT_FOUND),
)
_TRANSIENT: Final = (
    (r"Could not resolve|Name or service not known", "its host name could not be resolved"),
    (r"No space left", "the disk that holds the cached clone is full"),
    (r"error: 429\b|rate limit", "the server asks for fewer requests"),
    (r"error: 5\d\d\b", "the server is failing"),
    (
        r"[Ff]ailed to connect|refused|unreachable|reset|[Tt]imed? ?out|too slow|RPC failed"
        r"|early EOF|hung up|disconnect|Empty reply|transfer closed|[Cc]onnection|Recv failure",
        "the connection failed",
    ),
    (r"corrupt|inflate|bad object|bad pack|object \w+ not found", _DAMAGED),
)
_CUT_SHORT: Final = "invalid index-pack output"
"""All that is said when the process that writes was ended by the limit on its file."""
_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]*@")
_TOKENS: Final = re.compile(
    r"gh[a-z]_\w+|github_pat_\w+|eyJ[\w.-]{20,}|\b[A-Za-z0-9]{52,}\b|(?i:(?:basic|bearer)\s+\S+)"
)


def failed(doing: str, where: str, stderr: str) -> Transient | Permanent:
    """The error for a git command that failed, without any secret."""
    prefix = f"{doing} {where} failed"
    if meaning := _meaning(_PERMANENT, stderr):
        return Permanent(f"{prefix}: {meaning}")
    if meaning := _meaning(_TRANSIENT, stderr):
        return Transient(f"{prefix}: {meaning}; it will be tried again")
    if _CUT_SHORT in stderr:
        return Permanent(f"{prefix}: {_TOO_LARGE}")
    said = [line for line in stderr.splitlines() if line.startswith(("fatal: ", "error: "))]
    return Permanent(f"{prefix}: {scrub(said[-1] if said else 'git gave no reason')}")


def perhaps_ours(stderr: str) -> bool:
    """Whether the fault may lie in the clone rather than with the server."""
    known = _meaning(_PERMANENT, stderr) or _meaning(_TRANSIENT, stderr)
    return known == _DAMAGED or (not known and _CUT_SHORT not in stderr)


def _meaning(table: tuple[tuple[str, str], ...], stderr: str) -> str:
    return next((meaning for pattern, meaning in table if re.search(pattern, stderr)), "")


def scrub(text: str) -> str:
    """One printable line without user names in URLs and whatever looks like a token."""
    text = _TOKENS.sub("***", _USERINFO.sub("", text))
    return "".join(one if one.isprintable() else " " for one in text)[:300]
