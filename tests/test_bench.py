"""The bench runs end to end, at a size at which its numbers mean nothing."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_bench_measures_everything_and_writes_it_down(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    command = [sys.executable, "-W", "error", "-m", "bench", "--quick", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(out.read_text())
    assert {frozenset(one) for one in results} == {
        frozenset({"name", "value", "unit", "target", "met"})
    }
    names = " ".join(one["name"] for one in results)
    for part in ("import reconciler.cli", "plan 60 unchanged", "limits lifted", "limits on"):
        assert part in names
    assert "Azure's time: ratio" in names
    assert all(one["met"] for one in results if one["name"].endswith("429"))
