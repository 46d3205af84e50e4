from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.core.statistics.quantiles import quantile

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@settings(deadline=None)
@given(values, st.floats(0, 1))
def test_it_is_numpys_default(numbers: list[float], level: float) -> None:
    assert quantile(numbers, level) == pytest.approx(float(np.quantile(numbers, level)), rel=1e-9, abs=1e-6)


@settings(deadline=None)
@given(values, st.floats(0, 1), st.floats(0, 1))
def test_it_lies_among_the_values_and_grows_with_the_level(numbers: list[float], a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert min(numbers) <= quantile(numbers, low) <= max(numbers)
    assert quantile(numbers, low) <= quantile(numbers, high) + 1e-9 * max(map(abs, numbers))
    assert (quantile(numbers, 0), quantile(numbers, 1)) == (min(numbers), max(numbers))


@pytest.mark.parametrize(("numbers", "level"), [([], 0.5), ([1.0], 1.5), ([1.0], -0.1)])
def test_nothing_has_no_quantile(numbers: list[float], level: float) -> None:
    with pytest.raises(ValueError):
        quantile(numbers, level)
