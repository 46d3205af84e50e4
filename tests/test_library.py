"""The library's face: five lines without the platform."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import numpy as np
import pytest

from anomalyos import PatchCore
from anomalyos.core.errors import AnomalyOSError, BundleError, Conflict, NotFound
from anomalyos.images.rejection import ImageRejected
from anomalyos.patchcore import tuning
from tests.support.products import draw, picture

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    for i in range(14):
        (folder / f"{i:02}.png").write_bytes(picture("dots", i))
    return folder


@pytest.fixture(scope="module")
def model(good: Path) -> PatchCore:
    return PatchCore.fit(good, alpha=0.1, recipe="lite")


def test_a_flaw_is_found_where_it_is(model: PatchCore, tmp_path: Path) -> None:
    image, mask = draw("dots", 2000, flawed=True)
    result = model.inspect(image)
    assert (result.verdict, result.map.shape, result.map.dtype) == ("anomalous", image.shape[:2], np.float32)
    assert result.score > result.threshold
    assert result.p_value == pytest.approx(1 / 15)
    row, col = np.unravel_index(result.map.argmax(), result.map.shape)
    assert mask[max(0, row - 8) : row + 9, max(0, col - 8) : col + 9].any()
    box = result.regions[0]
    assert mask[box.y : box.y + box.height, box.x : box.x + box.width].any()


def test_a_file_and_its_pixels_are_judged_alike(model: PatchCore, tmp_path: Path) -> None:
    path = tmp_path / "new.png"
    path.write_bytes(picture("dots", 3))
    from_file, from_array = model.inspect(path), model.inspect(draw("dots", 3)[0])
    assert from_file.score == from_array.score
    assert from_file.verdict == "normal"
    assert from_file.p_value > 0.1


def test_paths_and_arrays_are_learned_like_their_folder(model: PatchCore, good: Path) -> None:
    paths = sorted(good.iterdir())
    arrays = [draw("dots", i)[0] for i in range(14)]
    for normals in (paths, arrays):
        assert PatchCore.fit(normals, alpha=0.1, recipe="lite").threshold == model.threshold


def test_saved_and_loaded_it_says_the_same(model: PatchCore, tmp_path: Path) -> None:
    target = tmp_path / "dots.bundle"
    model.save(target)
    assert list(tmp_path.iterdir()) == [target]
    again = PatchCore.load(target, device="cpu", threads=1)
    image = draw("dots", 2001, flawed=True)[0]
    before, after = model.inspect(image), again.inspect(image)
    assert (after.score, after.p_value, after.regions) == (before.score, before.p_value, before.regions)
    with pytest.raises(Conflict, match="exists already"):
        model.save(target)
    victim = next(target.glob("*.safetensors"), None) or next(
        path for path in target.iterdir() if path.name != "manifest.json"
    )
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    with pytest.raises(BundleError):
        PatchCore.load(target)


def test_a_promise_that_cannot_be_kept_is_warned_of(good: Path) -> None:
    with pytest.warns(UserWarning, match="14 parts cannot promise alpha 0.001"):
        learned = PatchCore.fit(good, alpha=0.001, recipe="lite")
    assert learned.alpha == pytest.approx(1 / 15)


def test_progress_names_each_step_to_its_end(good: Path) -> None:
    seen: dict[str, tuple[int, int]] = {}
    PatchCore.fit(
        good, alpha=0.1, recipe="lite", progress=lambda step, done, total: seen.update({step: (done, total)})
    )
    assert set(seen) == {"learn", "calibrate", "coreset"}
    assert all(done == total for done, total in seen.values())


def test_what_cannot_be_learned_is_refused_with_the_next_step(good: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder"):
        PatchCore.fit(tmp_path / "nowhere")
    with pytest.raises(AnomalyOSError, match="no images"):
        PatchCore.fit(tmp_path)
    with pytest.raises(AnomalyOSError, match="alpha"):
        PatchCore.fit(good, alpha=2)
    with pytest.raises(AnomalyOSError, match="device"):
        PatchCore.fit(good, device="tpu")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ImageRejected, match=r"broken\.png"):
        PatchCore.fit([*sorted(good.iterdir()), tmp_path / "broken.png"], recipe="lite")
    with pytest.raises(ImageRejected, match="float64"):
        PatchCore.fit([np.zeros((64, 64, 3))] * 4, recipe="lite")
    with pytest.raises(NotFound, match="no bundle"):
        PatchCore.load(tmp_path / "nothing.bundle")


def test_the_library_imports_nothing_but_its_own_dependencies(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        "import numpy as np\n"
        "from anomalyos import PatchCore\n"
        "rng = np.random.default_rng(0)\n"
        "pictures = [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(6)]\n"
        "PatchCore.fit(pictures, alpha=0.25, recipe='lite').inspect(pictures[0])\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    imported = set(json.loads(done.stdout.splitlines()[-1]))
    assert list(tmp_path.iterdir()) == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = closure(project["dependencies"])
    extras = {name_of(line) for extra in project["optional-dependencies"].values() for line in extra}
    owners = packages_distributions()
    found = {name_of(owner) for module in imported for owner in owners.get(module, ())}
    assert found & (extras - base) == set()


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~; (]", requirement)[0].lower().replace("_", "-")


def closure(requirements: list[str]) -> set[str]:
    """Names of the packages that come with these, those of extras left out."""
    found: set[str] = set()
    waiting = [name_of(line) for line in requirements]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            with contextlib.suppress(PackageNotFoundError):
                waiting += [name_of(line) for line in requires(name) or () if "extra ==" not in line]
    return found


def test_by_default_the_recipe_is_chosen_for_the_pictures(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "CANDIDATES", ("lite", "lite2"))
    seen: dict[str, tuple[int, int]] = {}
    learned = PatchCore.fit(good, alpha=0.1, progress=lambda step, *at: seen.update({step: at}))
    assert list(seen) == ["tune", "learn", "calibrate", "coreset"]
    assert learned.recipe.name in {"lite", "lite2"}
    choice = learned.tuning
    assert choice is not None
    assert choice["chosen"] == learned.recipe.name
    assert [row["recipe"] for row in choice["candidates"]] == ["lite", "lite2"]
