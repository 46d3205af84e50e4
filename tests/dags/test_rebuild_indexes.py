from __future__ import annotations

from anomalyos.cases import repository as case_repository
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.models import versions as model_versions
from tests.dags.conftest import RunDag
from tests.support.products import write_product

FAKES = "tests.dags.fakes"


def test_the_dag_and_the_command_line_make_one_version(
    settings: Settings, store: Store, run_dag: RunDag
) -> None:
    write_product(settings.data_dir, "stripes", good=2, flawed=2)
    result = run_dag("rebuild_indexes", {})
    assert result["state"] == "success", result["log"][-3000:]
    assert ["rebuild", 0, "success", "stripes"] in result["tasks"]
    assert ["index_cases", -1, "success", None] in result["tasks"]
    assert rebuild_category("stripes", settings, store)["created"] is False
    with store.session(read_only=True) as session:
        assert [version.version for version in model_versions.list_versions(session, "stripes")] == [1]
        assert model_versions.champion(session, "stripes") is not None
        assert case_repository.count(session, "stripes") == 2


def test_a_product_that_fails_is_named_and_stops_nobody(
    settings: Settings, store: Store, run_dag: RunDag
) -> None:
    for name in ("broken", "cap", "nut"):
        write_product(settings.data_dir, name, train=5, good=0, flawed=0)
    (settings.data_dir / "nut" / "train" / "good" / "000.png").unlink()
    chosen = ["cap", "broken", "nut"]
    result = run_dag("rebuild_indexes", {"categories": chosen, "force": True}, FAKES)
    assert result["state"] == "failed"
    assert [[task[0], *task[2:]] for task in result["tasks"]] == [
        ["check", "success", "broken"],
        ["check", "success", "cap"],
        ["check", "failed", "nut"],
        ["discover", "success", None],
        ["index_cases", "success", None],
        ["rebuild", "failed", "broken"],
        ["rebuild", "success", "cap"],
        ["summary", "failed", None],
    ]
    assert "2 of 3 categories failed: broken, nut" in result["log"]
    assert "4 readable normal images are left" in result["log"]
