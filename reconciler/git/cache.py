"""The folder that holds clones: ours alone, and made again when somebody tidies it away."""

import os
import stat
from pathlib import Path

from reconciler.core.errors import Permanent


def own_folder(cache: Path) -> Path:
    """Make the folder for clones; give back one inside that stays empty.

    Raises Permanent when the folder is somebody else's, who could put objects into our clones.
    """
    try:
        home = cache / "home"
        for folder in (cache, home):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                raise Permanent(f"{folder} belongs to somebody else: set RECONCILER_GIT_CACHE")
            if found.st_mode & 0o022:
                raise Permanent(f"others may write to {folder}: remove their right (chmod 700)")
    except OSError as error:
        raise Permanent(
            f"{cache} cannot hold clones ({error.strerror}): set RECONCILER_GIT_CACHE"
        ) from None
    return home
