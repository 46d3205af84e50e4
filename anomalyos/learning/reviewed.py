"""The review loop's normals: what reviewers called false alarms becomes something to learn from."""

from __future__ import annotations

from collections.abc import Sequence

from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.settings import Settings
from anomalyos.inspection.reviewed_normals import ReviewedNormal
from anomalyos.products.dataset import GOOD, CategoryData, Sample


def reviewed_samples(
    data: CategoryData, normals: Sequence[ReviewedNormal], settings: Settings
) -> list[Sample]:
    """A training sample for each image that is still there, its content as its name and its group.

    Images that are training or test images of the category already are left out: learned twice they would
    count twice, and a test image that was learned makes every figure a lie.
    """
    if not normals:
        return []
    known = {file_sha256(sample.path) for sample in (*data.train, *data.test)}
    return [
        Sample(path, data.name, "train", GOOD, None, f"review/{normal.sha256}")
        for normal in normals
        if normal.sha256 not in known and (path := settings.objects_dir / normal.object_path).is_file()
    ]
