"""One running stack for all stories of a session: starting it takes as long as playing one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rollup.devnet import Devnet, run_folder
from tests.stories.stage import Stage, set_stage


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    # So small a network is several times slower on two threads than on one.
    with pytest.MonkeyPatch.context() as patch, Devnet(run_folder()) as net:
        patch.setenv("OMP_NUM_THREADS", "1")
        stage = set_stage(net)
        net.start()
        yield stage
