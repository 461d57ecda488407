"""Items of a requester: what is refused before anything is masked, and that a pool gives back what went in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rollup.blobs import open_blobs
from rollup.errors import BadEncoding, BadInput
from rollup.properties.pool import Pool, item_key, masked
from rollup.requester.items import put_data, put_pool, read_items
from rollup.requester.keys import PoolKeys
from tests.rollup.requester.desk import PIXELS, SPECS, write_items


def test_read_items__no_file__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_items(tmp_path / "pool.safetensors", SPECS)


def test_read_items__empty__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pool.safetensors"
    write_items(path, 0)
    with pytest.raises(BadInput, match="has 0 targets"):
        read_items(path, SPECS)


def test_read_items__no_targets__are_refused(tmp_path: Path) -> None:
    path = write_items(tmp_path / "pool.safetensors", 4, labels=np.zeros(4, np.int64))
    with pytest.raises(BadEncoding, match="'labels' is not expected"):
        read_items(path, SPECS)


def test_read_items__inputs_of_another_shape__are_refused(tmp_path: Path) -> None:
    path = write_items(tmp_path / "pool.safetensors", 4, input_0=np.zeros((4, PIXELS + 1), np.float32))
    with pytest.raises(BadEncoding, match="input_0"):
        read_items(path, SPECS)


@pytest.mark.parametrize("target", [-1, 4])
def test_read_items__target_out_of_range__is_refused_with_its_item(tmp_path: Path, target: int) -> None:
    path = write_items(tmp_path / "pool.safetensors", 4, targets=np.array([0, 1, target, 3]))
    with pytest.raises(BadInput, match=f"item 2: input element 3 is {target}, outside 0 to 3"):
        read_items(path, SPECS)


def test_read_items__pixel_that_is_no_number__is_refused_with_its_item(tmp_path: Path) -> None:
    pixels = np.zeros((4, PIXELS), np.float32)
    pixels[3, 1] = np.nan
    path = write_items(tmp_path / "pool.safetensors", 4, input_0=pixels)
    with pytest.raises(BadInput, match="item 3: input element 1 is nan"):
        read_items(path, SPECS)


def test_put_pool__every_item__comes_back_under_its_key(tmp_path: Path) -> None:
    items = read_items(write_items(tmp_path / "pool.safetensors", 6), SPECS)
    blobs, key = open_blobs(tmp_path / "blobs"), PoolKeys(tmp_path / "keys").draw()
    pool = put_pool(blobs, key, items)
    assert blobs.get_named(pool.root, Pool.decode) == pool
    for index, entry in enumerate(pool.entries):
        hidden = blobs.get_tensors(entry.masked_root)
        shown = masked(item_key(key.secret, index), hidden)
        assert [tensor.data for tensor in shown] == [tensor.data for tensor in items.item(index)]
        assert all(tensor.data != item.data for tensor, item in zip(hidden, items.item(index), strict=True))
    assert pool.unsound(key.secret) == []


def test_put_data__is_what_trainers_read(tmp_path: Path) -> None:
    items = read_items(write_items(tmp_path / "data.safetensors", 5), SPECS)
    blobs = open_blobs(tmp_path / "blobs")
    inputs, targets = blobs.get_tensors(put_data(blobs, items))
    assert inputs.spec.shape == (5, PIXELS)
    assert targets.spec.shape == (5,)
    assert (inputs.data, targets.data) == tuple(tensor.data for tensor in items.stacked)
