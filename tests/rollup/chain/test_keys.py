"""Keys: where they come from, who may use them, and that they are never seen."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from rollup.chain.keys import Key, KeyLock, load_key, recover
from rollup.chain.sender import Intent, Sender
from rollup.chain.transactions import MemoryStore
from rollup.config import KeySource
from rollup.errors import BadInput, BadSignature, KeyInUse, NotFound, RollupError
from rollup.types import Address
from tests.chain_fixture import Anvil

SECRET = "c0ffee" + "5eed" * 14 + "ab"
DIGEST = b"d" * 32
FROM_ENVIRONMENT = KeySource(variable="CANARY_KEY")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize("value", ["", "zz", SECRET[:-2], "00" * 32, SECRET + "ab"])
def test_load__what_is_no_key__is_refused_and_not_quoted(value: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_key(FROM_ENVIRONMENT, {"CANARY_KEY": value})
    assert "c0ffee" not in str(caught.value)


def test_load__a_key_that_stands_in_an_argument__is_refused() -> None:
    environment = {"CANARY_KEY": SECRET}
    with pytest.raises(BadInput, match="stands in an argument") as caught:
        load_key(FROM_ENVIRONMENT, environment, ["anh", f"--key=0x{SECRET.upper()}"])
    assert SECRET not in str(caught.value).lower()
    assert load_key(FROM_ENVIRONMENT, environment, ["anh", "0x" + "ab" * 32]).address


def test_load__from_nowhere__is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no variable CANARY_KEY"):
        load_key(FROM_ENVIRONMENT, {})
    (tmp_path / "password").write_text("open")
    with pytest.raises(NotFound, match="no keystore"):
        load_key(KeySource(tmp_path / "gone", tmp_path / "password"))
    with pytest.raises(NotFound, match="no password file"):
        Key.generate().save(tmp_path / "key", tmp_path / "gone")


def test_keystore__opens_with_its_password_only(tmp_path: Path) -> None:
    key, password = Key.from_bytes(bytes.fromhex(SECRET)), tmp_path / "password"
    password.write_text("open sesame\n")
    source = key.save(tmp_path / "key.json", password)
    assert (tmp_path / "key.json").stat().st_mode & 0o077 == 0
    assert load_key(source).address == key.address
    password.write_text("open barley\n")
    with pytest.raises(BadInput, match="does not open"):
        load_key(source)


def test_lock__of_a_key_in_another_process__is_in_use(tmp_path: Path) -> None:
    address = Key.generate().address
    program = (
        "import sys, pathlib; from rollup.chain.keys import KeyLock; "
        "lock = KeyLock(pathlib.Path(sys.argv[1]), bytes.fromhex(sys.argv[2])); print('held', flush=True); "
        "sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), address.hex()], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(KeyInUse, match=f"0x{address.hex()}"):
            KeyLock(tmp_path, address)
        KeyLock(tmp_path, Key.generate().address).release()
        holder.kill()
        holder.wait()
        KeyLock(tmp_path, address).release()


@pytest.mark.parametrize(
    "spoil",
    [lambda s: s[:-1], lambda s: s[:-1] + b"\x00", lambda s: b"\xff" * 64 + s[64:], lambda s: b""],
    ids=["short", "v 0", "off the curve", "empty"],
)
def test_recover__what_nobody_can_have_signed__is_refused(spoil: object) -> None:
    signature = Key.generate().sign_digest(DIGEST)
    with pytest.raises(BadSignature):
        recover(DIGEST, spoil(signature))  # type: ignore[operator]


def test_recover__the_other_signature_of_a_pair__is_refused() -> None:
    signature = Key.generate().sign_digest(DIGEST)
    upper = (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    with pytest.raises(BadSignature, match="upper half"):
        recover(DIGEST, signature[:32] + upper + bytes([55 - signature[64]]))


def test_recover__names_the_signer() -> None:
    key = Key.generate()
    assert recover(DIGEST, key.sign_digest(DIGEST)) == key.address
    assert recover(b"e" * 32, key.sign_digest(DIGEST)) != key.address


def test_a_canary_key__is_in_no_output(anvil: Anvil, capfd: pytest.CaptureFixture[str]) -> None:
    key = load_key(FROM_ENVIRONMENT, {"CANARY_KEY": SECRET})
    anvil.rpc("anvil_setBalance", "0x" + key.address.hex(), hex(10**18))
    store = MemoryStore()
    sender = Sender(anvil.client(), key, store)
    sender.send(Intent("pay", Address(b"p" * 20), b"", 1))
    shown = [repr(key), str(key), repr(sender), repr(store.of_intent(key.address, "pay"))]
    for refused in (Intent("rich", Address(b"p" * 20), b"", 10**30), Intent("big", None, b"", 0, 2**30)):
        with pytest.raises(RollupError) as caught:
            sender.send(refused)
        shown.append(repr(caught.value))
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(key)
    printed = capfd.readouterr()
    everything = " ".join([*shown, printed.out, printed.err]).lower()
    assert "transaction.signed" in everything
    assert len(shown) == 6
    assert SECRET not in everything
