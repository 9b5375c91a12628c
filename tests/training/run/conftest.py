"""What the tests of a run share."""

from __future__ import annotations

import pytest
from torch import Tensor

from tests.training.run.helpers import trained


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The weights of a training that nothing disturbed."""
    return trained(tmp_path_factory.mktemp("whole"))
