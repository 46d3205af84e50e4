from __future__ import annotations

from pathlib import Path

import numpy as np

from anomalyos.accounts.tables import Role
from anomalyos.classifier import versions as classifier_versions
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models import versions as model_versions
from tests.dags.conftest import RunDag
from tests.support.products import draw, png, write_product


def test_the_form_makes_a_challenger_that_is_judged_and_kept_in_mlflow(
    built: Store, settings: Settings, run_dag: RunDag
) -> None:
    conf = {"categories": ["stripes"], "coreset_ratio": 0.5, "alpha": 0.2}
    result = run_dag("retrain", conf)
    assert result["state"] == "success", result["log"][-3000:]
    assert ["challenge", 0, "success", "stripes"] in result["tasks"]
    with built.session(read_only=True) as session:
        newest = model_versions.list_versions(session, "stripes")[0]
        champion = model_versions.champion(session, "stripes")
    assert champion is not None
    assert (newest.version, newest.alpha, newest.run_id) == (2, 0.2, result["run_id"])
    verdict = "inspects now" if champion.id == newest.id else "was refused"
    assert f"stripes v2 {verdict}. {newest.gate_reason}" in result["log"]
    assert "(not left as a note: " in result["log"], "no web server runs in this test"
    assert (settings.home / "mlflow.db").is_file()


def test_names_of_defects_are_learned_where_there_are_enough(
    built: Store, settings: Settings, run_dag: RunDag
) -> None:
    second_defect(settings.data_dir / "dots")
    conf = {"categories": ["dots", "stripes"], "fine_tune": True, "trials": 1}
    result = run_dag("retrain", conf)
    assert result["state"] == "success", result["log"][-3000:]
    assert ["name_defects", 0, "success", "dots"] in result["tasks"]
    with built.session(read_only=True) as session:
        (version,) = classifier_versions.list_versions(session)
    assert (version.category, version.run_id) == ("dots", result["run_id"])
    verdict = "v1 names defects now." if version.gate_passed else "names v1 were refused."
    assert f"dots: {verdict} {version.gate_reason}" in result["log"]
    assert "Defect names: stripes has " in result["log"]


def second_defect(root: Path) -> None:
    """Ten more defects of two kinds: the stain is red, the scratch is white."""
    for kind in ("stain", "scratch"):
        for folder in ("test", "ground_truth"):
            (root / folder / kind).mkdir(exist_ok=True)
        for number in range(5):
            image, mask = draw("dots", 3000 + number + 100 * (kind == "scratch"), flawed=True)
            if kind == "scratch":
                image[mask] = 255
            (root / f"test/{kind}/m{number}.png").write_bytes(png(image))
            (root / f"ground_truth/{kind}/m{number}_mask.png").write_bytes(png(mask.astype(np.uint8) * 255))


def test_a_dry_run_builds_nothing(built: Store, settings: Settings, run_dag: RunDag) -> None:
    result = run_dag("retrain", {"dry_run": True})
    assert result["state"] == "success", result["log"][-3000:]
    assert "dots: 12 images to learn, 0 of them reviewed." in result["log"]
    with built.session(read_only=True) as session:
        assert {row.version for row in model_versions.list_versions(session)} == {1}
    assert not (settings.home / "mlflow.db").exists()


def test_a_damaged_challenger_is_refused_and_the_reason_stands_everywhere(
    settings: Settings, store: Store, run_dag: RunDag
) -> None:
    from anomalyos.learning.rebuild import rebuild_category
    from anomalyos.models import tracking
    from console.security.person import Person
    from console.services.models import ModelService

    write_product(settings.data_dir, "stripes")
    assert rebuild_category("stripes", settings, store)["promoted"]
    result = run_dag("retrain", {"force": True}, "tests.dags.damaged")
    assert result["state"] == "success", result["log"][-3000:]
    with store.session(read_only=True) as session:
        refused = model_versions.list_versions(session, "stripes")[0]
        champion = model_versions.champion(session, "stripes")
    assert champion is not None
    assert (refused.version, refused.gate_passed, champion.version) == (2, False, 1)
    assert "fell from" in refused.gate_reason
    # the text of the run's note, the experiment, and what Admin shows
    assert f"stripes v2 was refused. {refused.gate_reason}" in result["log"]
    client = tracking.tracking_client(settings)
    number = tracking.experiment_id(client, settings, tracking.PATCHCORE)
    (run,) = client.search_runs([number])
    assert run.data.tags["mlflow.note.content"] == f"Gate: refused. {refused.gate_reason}"
    erik = Person(user_id=1, name="erik", role=Role.ENGINEER)
    shown = ModelService(settings, store).product(erik, "stripes").versions[0]
    assert (shown.version, shown.gate_passed, shown.gate_reason) == (2, False, refused.gate_reason)
