"""Over and under: threads or wires crossing each other at right angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.products.sample.draws import Field


@dataclass
class Yarn:
    """One system of parallel threads.

    ``index`` is the thread under each pixel, ``across`` the offset from its middle in pitches
    (-0.5..0.5), ``lift`` -1..1 how far it is above (or below) the other system.
    """

    index: NDArray[np.intp]
    across: Field
    lift: Field

    def per_thread(self, table: Field) -> Field:
        """Values of a 1-D table by thread, (n, n)."""
        return table[self.index % len(table)]


def cross(u: Field, v: Field, pitch: float, repeat: int) -> tuple[Yarn, Yarn]:
    """Warp (threads along v) and weft (along u) of a weave over ``repeat`` threads.

    ``repeat`` 2 is a plain weave, 4 a two-over-two twill whose diagonal runs down to the right.
    """
    pu, pv = u * np.float32(1 / pitch), v * np.float32(1 / pitch)
    iu, iv = np.floor(pu), np.floor(pv)
    turn = np.float32(2 * np.pi / repeat)
    middle = (repeat - 2) / 4 + 0.5
    warp_lift = np.cos(turn * (pv - iu - middle))
    weft_lift = -np.cos(turn * (iv + 0.5 - pu + 0.5 - middle))
    warp = Yarn(iu.astype(np.intp), pu - iu - np.float32(0.5), warp_lift)
    weft = Yarn(iv.astype(np.intp), pv - iv - np.float32(0.5), weft_lift)
    return warp, weft
