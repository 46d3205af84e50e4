"""Everything about one inspection: computed from real models, kept, honest about what is missing."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.explain import explainer as module
from anomalyos.explain import methods
from anomalyos.explain import repository as explanations
from anomalyos.explain.explainer import PARTS, Explainer
from anomalyos.inspection import reviews
from anomalyos.inspection.inspector import Inspector, live_batch
from anomalyos.learning.case_base import refresh_case_base
from tests.support.products import draw, picture, png

QUICK = tuple(part for part in PARTS if part != "shap")


@pytest.fixture
def explainer(settings: Settings, built: Store) -> Explainer:
    inspector = Inspector(settings, built)
    return Explainer(settings, built, inspector.champions)


def inspect(explainer: Explainer, data: bytes, source: str = "a.png", category: str | None = None) -> int:
    inspector = Inspector(explainer.settings, explainer.store)
    batch = live_batch(explainer.store)
    return stored_id(inspector.inspect(data, source=source, batch_key=batch, category=category).id)


def decide(explainer: Explainer, number: int, decision: str, defect_type: str = "") -> None:
    with explainer.store.session() as session:
        reviews.decide(
            session,
            inspection_id=number,
            decision=decision,
            defect_type=defect_type,
            actor="mia",
            expected_version=0,
            note="by the window",
        )


def test_a_flagged_part_is_explained_in_every_way(explainer: Explainer) -> None:
    refresh_case_base(["dots", "stripes"], explainer.settings, explainer.store)
    image, mask = draw("dots", 7001, flawed=True)
    number = inspect(explainer, png(image))
    seen: list[tuple[str, float]] = []
    evidence = explainer.explain(number, progress=lambda part, share: seen.append((part, share)))

    assert [case.category for case in evidence.similar] == ["dots", "dots"]
    assert [pair.neighbours[0].place.image[:10] for pair in evidence.trace] == ["train/good"] * 5
    assert [cam.method for cam in evidence.cams] == ["gradcam_pp", "hirescam"]
    assert evidence.depth is not None
    assert evidence.depth.method == "shape_from_shading"
    assert evidence.shap is not None
    total = evidence.shap.base + sum(value.contribution for value in evidence.shap.values)
    assert total == pytest.approx(evidence.shap.output, abs=1e-6)
    # nothing is seeded about a product made for tests
    assert list(evidence.missing) == ["causes"]
    assert "knowledge" in evidence.missing["causes"]
    assert set(evidence.cost_ms) == set(PARTS)
    assert [share for _, share in seen] == sorted(share for _, share in seen)
    assert list(dict.fromkeys(part for part, _ in seen)) == list(PARTS)

    for name in ("photo", "anomaly_map", "crop", "gradcam_pp", "hirescam"):
        assert explainer.store.objects.read(evidence.pictures[name])
    heat = np.load(io.BytesIO(explainer.store.objects.read(evidence.cams[0].heat_path)))
    row, col = np.unravel_index(heat.argmax(), heat.shape)
    scale = mask.shape[0] / heat.shape[0]
    assert mask[int(row * scale), int(col * scale)]
    overlay = np.asarray(Image.open(io.BytesIO(explainer.store.objects.read(evidence.cams[0].overlay_path))))
    assert overlay.shape == (*mask.shape, 4)
    assert overlay[mask][:, 3].mean() > 2 * overlay[~mask][:, 3].mean()


def test_what_was_computed_is_kept_until_its_files_are_gone(
    explainer: Explainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anomalyos.explain import gradcam

    number = inspect(explainer, picture("dots", 7002, flawed=True))
    first = explainer.explain(number, ["trace", "cams", "depth"])
    calls: list[str] = []
    real = gradcam.explain_distance

    def counted(method: gradcam.CamMethod, *args: object) -> gradcam.CamHeat:
        calls.append(method)
        return real(method, *args)

    monkeypatch.setattr(methods, "explain_distance", counted)
    again = explainer.explain(number, ["trace", "cams", "depth"])
    assert calls == []
    assert again.model_dump(exclude={"cost_ms"}) == first.model_dump(exclude={"cost_ms"})
    with explainer.store.session(read_only=True) as session:
        kept = {row.method: row.cost_ms for row in explanations.of_inspection(session, number)}
    assert set(kept) == {"trace", "gradcam_pp", "hirescam", "depth"}
    assert min(kept.values()) > 0

    explainer.store.objects.absolute(first.cams[1].overlay_path).unlink()
    mended = explainer.explain(number, ["cams"])
    assert calls == ["hirescam"]
    assert explainer.store.objects.read(mended.cams[1].overlay_path)


def test_causes_follow_the_similar_cases_and_then_the_reviewer(explainer: Explainer) -> None:
    from anomalyos.knowledge import edits
    from anomalyos.knowledge.tables import Relation

    refresh_case_base(["dots"], explainer.settings, explainer.store)
    with explainer.store.session() as session:
        edits.add_node(session, "category:dots", name="Dots", actor="eva")
        for kind, cause in (("stain", "cause:spilt-paint"), ("dent", "cause:fell-from-table")):
            defect = f"defect:dots/{kind}"
            edits.add_node(session, defect, name=kind, attributes={"severity": "cosmetic"}, actor="eva")
            edits.add_node(session, cause, name=cause[6:], actor="eva")
            edits.add_edge(session, "category:dots", Relation.HAS_DEFECT, defect, actor="eva")
            edits.add_edge(session, defect, Relation.CAUSED_BY, cause, actor="eva")
    number = inspect(explainer, picture("dots", 7003, flawed=True))
    by_looks = explainer.explain(number, ["similar", "causes"])
    first = by_looks.causes[0]
    assert first.key == "cause:spilt-paint"
    assert [step.kind for step in first.path] == ["case", "defect", "cause"]
    assert first.path[0].key == f"case:{by_looks.similar[0].case_id}"

    decide(explainer, number, "defect", "Dent")
    named = explainer.explain(number, ["similar", "causes"])
    assert [cause.key for cause in named.causes] == ["cause:fell-from-table"]
    assert [step.key for step in named.causes[0].path] == [
        "category:dots",
        "defect:dots/dent",
        "cause:fell-from-table",
    ]
    assert [note.text for note in named.notes] == ["by the window"]


def test_without_similar_cases_every_known_defect_type_is_in_question(explainer: Explainer) -> None:
    number = inspect(explainer, picture("dots", 7004, flawed=True))
    context = module.load_context(number, explainer.settings, explainer.store, explainer.champions)
    assert module.methods.suspects(context, ()) == [("defect:dots/unnamed", 1.0)]
    evidence = explainer.explain(number, ["similar"])
    assert "cases import" in evidence.missing["similar"]


def test_a_false_alarm_has_no_causes(explainer: Explainer) -> None:
    number = inspect(explainer, picture("dots", 7005, flawed=True))
    decide(explainer, number, "false_alarm")
    assert "nothing wrong" in explainer.explain(number, ["causes"]).missing["causes"]


def test_what_makes_no_sense_is_left_out_with_the_reason(explainer: Explainer) -> None:
    good = explainer.explain(inspect(explainer, picture("dots", 7006)), QUICK)
    assert set(good.missing) == {"similar", "causes", "depth"}
    assert good.trace
    unreadable = explainer.explain(inspect(explainer, b"no image", "b.png"), QUICK)
    assert set(unreadable.missing) == set(QUICK)
    assert unreadable.pictures == {}
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    unknown = explainer.explain(inspect(explainer, png(noise), "c.png"), QUICK)
    assert "no known product" in unknown.missing["trace"]
    with pytest.raises(NotFound):
        explainer.explain(999)


def test_changed_training_images_are_not_shown_as_normal(explainer: Explainer) -> None:
    number = inspect(explainer, picture("dots", 7007, flawed=True))
    folder = explainer.settings.data_dir / "dots/train/good"
    for file in folder.iterdir():
        file.write_bytes(picture("dots", 1))
    missing = explainer.explain(number, ["trace", "shap", "cams"]).missing
    assert set(missing) == {"trace", "shap"}
    assert "not the one the model learned from" in missing["trace"]
    for file in folder.iterdir():
        file.unlink()
    assert "is gone" in explainer.explain(number, ["trace"]).missing["trace"]


def test_a_lost_photograph_leaves_what_does_not_need_it(explainer: Explainer) -> None:
    number = inspect(explainer, picture("dots", 7008, flawed=True))
    photo = explainer.explain(number, []).pictures["photo"]
    explainer.store.objects.absolute(photo).unlink()
    evidence = explainer.explain(number, ["similar", "cams"])
    assert "is missing" in evidence.missing["cams"]
    assert Path(evidence.pictures["anomaly_map"]).suffix == ".png"


def test_quick_parts_do_not_wait_for_heavy_ones(
    explainer: Explainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = inspect(explainer, picture("dots", 7009, flawed=True))
    begun, go_on = threading.Event(), threading.Event()

    def slow(context: object, found: object, tick: object) -> None:
        begun.set()
        assert go_on.wait(60)

    monkeypatch.setitem(methods.COMPUTE, "shap", slow)
    with ThreadPoolExecutor(1) as pool:
        heavy = pool.submit(explainer.explain, number, ("shap",))
        try:
            assert begun.wait(60)
            quick = explainer.explain(number, ("similar", "trace"))
            assert not heavy.done()
        finally:
            go_on.set()
        assert heavy.result(60).shap is None
    assert len(quick.trace) == 5
