"""The keys of a running stack: in the environment of their own processes, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import httpx

from rollup.chain.anvil import development_secret
from rollup.devnet import Account, Devnet, Part

PARTS = (
    Part("sequencer", Account.SEQUENCER),
    Part("api", Account.SEQUENCER),
    Part("executor", Account.EXECUTOR),
    Part("keeper", Account.KEEPER),
)


def argv_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_keys__are_in_no_file_no_argument_and_no_answer(tmp_path: Path) -> None:
    with Devnet(tmp_path) as net:
        net.start(PARTS[:2])
        running = [net.start_part(part) for part in PARTS[2:]]
        folder = net.processes.folder
        # It announces where it serves: by then it has read its key, opened everything, and signed.
        net.processes.wait_until(
            "the executor signs", lambda: "transaction.signed" in (folder / "executor.log").read_text(), 120
        )
        answers = [
            httpx.get(net.api_url + path).content for path in ("/v1/system", "/v1/health", "/openapi.json", "/v1/none")
        ]
        answers.append(httpx.post(f"{net.api_url}/v1/requests", json={"key": "none"}).content)
        arguments = [argv_of(process.handle.pid) for process in running]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 10, "settings, logs, journals"
    assert all(b"rollup.cli" in argv for argv in arguments)
    everything = b"\n".join([*answers, *arguments, *files])
    assert bytes(net.address(Account.EXECUTOR)) in everything, "what is signed is found in a journal"
    for part in PARTS:
        assert part.account is not None
        secret = development_secret(part.account)
        assert len(secret) == 64
        assert secret.encode() not in everything.lower()
        assert bytes.fromhex(secret) not in everything
