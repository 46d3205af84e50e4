"""Array types by element: shapes stand in the docstrings of what takes or gives them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
"""What models compute with."""
Float64Array = NDArray[np.float64]
"""What statistics compute with."""
BoolArray = NDArray[np.bool_]
