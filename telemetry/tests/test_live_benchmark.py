"""The benchmark of the live feed, small: it still runs, and measures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

SMALL = ["--sockets", "4", "--limit", "4", "--rate", "500", "--seconds", "2", "--broker", "embedded"]


@pytest.mark.timeout(180)
def test_it_measures_how_soon_readings_are_shown(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.live", *SMALL, "--json", str(tmp_path / "live.json")]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = json.loads((tmp_path / "live.json").read_text())
    assert result["sockets"] == 4
    assert result["frames_per_s"] > 0
    assert 0 < result["committed_to_shown_ms"][0] < result["published_to_shown_ms"][0]
