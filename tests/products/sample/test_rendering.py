"""Pictures and masks of the sample products."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.products.dataset import valid_category_name
from anomalyos.products.sample import CATALOGUE, CATEGORIES, DEFECTS, render
from anomalyos.products.sample.shot import Shot

SIZE = 128
CASES = [(name, defect) for name in CATEGORIES for defect in DEFECTS[name]]


def test_there_are_fifteen_products_of_both_kinds_with_several_defects_each() -> None:
    assert len(set(CATEGORIES)) == 15
    assert {product.kind for product in CATALOGUE} == {"texture", "object"}
    assert all(4 <= len(set(defects)) <= 5 and "good" not in defects for defects in DEFECTS.values())
    for name in CATEGORIES:
        assert name.startswith("sample_")
        valid_category_name(name)


@pytest.mark.parametrize("name", CATEGORIES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_part(name: str) -> None:
    first, mask = render(name, None, 7, SIZE)
    again, _ = render(name, None, 7, SIZE)
    other, _ = render(name, None, 8, SIZE)
    assert first.dtype == np.uint8
    assert first.shape == (SIZE, SIZE, 3)
    assert mask.shape == (SIZE, SIZE)
    assert not mask.any()
    assert first.tobytes() == again.tobytes()
    assert np.abs(first.astype(int) - other).mean() > 2


@pytest.mark.parametrize("name", CATEGORIES)
def test_pictures_are_exposed_like_photographs(name: str) -> None:
    picture, _ = render(name, None, 3, SIZE)
    brightness = picture.mean(axis=2)
    assert 20 < brightness.mean() < 225
    assert brightness.std() > 8
    assert (picture == 255).all(axis=2).mean() < 0.02


@pytest.mark.parametrize(("name", "defect"), CASES)
def test_a_defect_changes_the_part_where_its_mask_says_and_nowhere_far_from_it(
    name: str, defect: str
) -> None:
    for seed in (20_001, 20_004):
        good, _ = render(name, None, seed, SIZE)
        bad, mask = render(name, defect, seed, SIZE)
        change = np.abs(bad.astype(int) - good).max(axis=2)
        assert mask.dtype == np.bool_
        assert 2 <= mask.sum() <= 0.15 * SIZE * SIZE
        assert change[mask].mean() > 4
        assert change[mask].mean() > 4 * change[~mask].mean()
        # shadows fall a little beyond a flaw, nothing else does
        far = ~ndimage.binary_dilation(mask, iterations=SIZE // 10)
        assert (change[far] > 12).mean() < 0.01


@pytest.mark.parametrize("name", CATEGORIES)
def test_a_handful_of_seeds_holds_subtle_and_plain_examples(name: str) -> None:
    by_severity = sorted(range(20_000, 20_005), key=lambda seed: Shot(name, None, seed, 32).severity)
    stronger = 0
    for defect in DEFECTS[name]:
        change, area = [], []
        for seed in (by_severity[0], by_severity[-1]):
            good, _ = render(name, None, seed, SIZE)
            bad, mask = render(name, defect, seed, SIZE)
            change.append(int(np.abs(bad.astype(int) - good).sum()))
            area.append(int(mask.sum()))
        stronger += change[1] > 1.3 * change[0] or area[1] > 1.3 * area[0]
    assert stronger >= 3


def test_unknown_names_are_refused_with_a_hint() -> None:
    with pytest.raises(NotFound) as no_category:
        render("sample_teapot", None, 0)
    assert "sample_hex_nut" in no_category.value.hint
    with pytest.raises(AnomalyOSError) as no_defect:
        render("sample_hex_nut", "melted", 0)
    assert "rust" in no_defect.value.hint


@pytest.mark.parametrize("size", [0, 31, 30, 129])
def test_sizes_that_cannot_be_supersampled_are_refused(size: int) -> None:
    with pytest.raises(AnomalyOSError, match="cannot be"):
        render("sample_hex_nut", None, 0, size)


def test_importing_the_package_loads_no_numerics() -> None:
    code = (
        "import sys; import anomalyos.products.sample as s; assert len(s.CATEGORIES) == 15;"
        "print(sorted({'scipy', 'skimage', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
