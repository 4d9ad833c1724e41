"""azure-ai-ml, unmodified, as a client of the emulated Azure."""

import subprocess
import sys
from pathlib import Path


def test_azure_ai_ml_makes_lists_and_deletes_an_endpoint(emulated: dict[str, str]) -> None:
    script = Path(__file__).with_name("use_azure_ai_ml.py")
    done = subprocess.run(
        [sys.executable, str(script)],
        env=emulated,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
