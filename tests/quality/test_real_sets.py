"""The shipped suite on real photographs: nothing of a sound data set is set aside."""

from __future__ import annotations

import shutil

import pytest

from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.quality.data_check import check_category
from tests.quality.suites import VIOLATIONS

SHARED = PROJECT_ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the real sets are not here")


@needs_data
@pytest.mark.parametrize("folder", ["mvtec_ad_reduced/hazelnut", "mvtec_ad_reduced/transistor", "pcb"])
def test_nothing_of_a_real_set_is_set_aside_but_what_is_broken_in_it(
    settings: Settings, store: Store, folder: str
) -> None:
    name = folder.rsplit("/", 1)[-1]
    train = settings.data_dir / name / "train" / "good"
    shutil.copytree(SHARED / folder, settings.data_dir / name)
    done = check_category(name, settings, store)
    assert done.out == ()
    assert {result["rule"] for result in done.row.results if not result["passed"]} <= {"near_duplicates"}
    for bad in ("black", "cmyk", "tiny"):
        (train / f"zz_{bad}.png").write_bytes(VIOLATIONS[bad][0])
    found = check_category(name, settings, store).left_out()
    assert set(found) == {f"train/good/zz_{bad}.png" for bad in ("black", "cmyk", "tiny")}
