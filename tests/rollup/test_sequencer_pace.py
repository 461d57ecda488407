"""Late enough to be shared, early enough to be taken."""

import pytest

from rollup.admission import POST_MARGIN_SECONDS
from rollup.sequencer.pace import Standing, is_due


@pytest.mark.parametrize(
    ("standing", "due"),
    [
        (Standing(0.0, False, 600), False),
        (Standing(2.9, False, 600), False),
        (Standing(3.0, False, 600), True),
        (Standing(0.0, True, 600), True),
        (Standing(0.0, False, 3 + POST_MARGIN_SECONDS + 1), False),
        (Standing(0.0, False, 3 + POST_MARGIN_SECONDS), True),
    ],
)
def test_is_due__once_waited_full_or_urgent(standing, due):
    assert is_due(standing, 3.0) is due


def test_is_due__without_an_interval__is_at_once():
    assert is_due(Standing(0.0, False, 600), 0.0)
