"""`anh up`: a developer's stack comes up, says where it is, and leaves nothing behind when it is told to stop."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from rollup.chain.keys import Key
from rollup.config import Settings

START_SECONDS, STOP_SECONDS = 120, 20


@pytest.mark.timeout(300)
def test_up__answers_until_it_is_interrupted(tmp_path: Path) -> None:
    log = tmp_path / "up.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "rollup.cli", "up"]
        up = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        url = _api_url(up, log)
        assert httpx.get(f"{url}/v1/health", timeout=10).is_success
        assert httpx.get(f"{url}/docs", timeout=10).is_success
        assert "claim_chain" in log.read_text()
        _require_user(log)
        up.send_signal(signal.SIGINT)
        assert up.wait(STOP_SECONDS) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/v1/health", timeout=2)
    finally:
        if up.poll() is None:
            up.kill()


def _require_user(log: Path) -> None:
    """What it says last is enough to act on this chain: settings, and a key of their account."""
    told = re.search(r"export (ANH_KEY)=([0-9a-f]{64})\nanh model push FOLDER --settings (\S+)\n", log.read_text())
    assert told is not None
    name, secret, path = told.groups()
    settings = Settings.load(Path(path))
    assert settings.key is not None
    assert settings.key.variable == name
    assert len(Key.from_bytes(bytes.fromhex(secret)).address) == 20
    assert settings.deployment.contracts


def _api_url(up: subprocess.Popen[bytes], log: Path) -> str:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        assert up.poll() is None, log.read_text()
        # The line may be wrapped where nobody watches.
        found = re.search(r"API\s+(http://[\d.]+:\d+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.2)
    raise AssertionError(f"no API after {START_SECONDS} s: {log.read_text()}")
