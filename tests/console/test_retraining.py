"""Retraining from Admin: the form, the runs it starts, and who may not."""

from __future__ import annotations

from typing import Any

import pytest
from nicegui import app, ui
from nicegui.testing import User

from anomalyos.accounts import audit
from anomalyos.core.forms import AS_SET, FormField
from anomalyos.learning.options import RetrainingOptions
from anomalyos.ops.airflow import TaskState
from console.pages.admin import retraining_page
from tests.console.conftest import Console, SignIn
from tests.support.products import write_product

PATH = "/admin/retraining"


@pytest.fixture
def products(console: Console) -> Console:
    for name in ("dots", "stripes"):
        write_product(console.services.settings.data_dir, name, train=1, good=0, flawed=0)
    return console


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retraining_page, "LOOK_EVERY", 0.05)


async def see(user: User, text: str) -> None:
    await user.should_see(text, retries=80)


def ended(category: str, state: str = "success") -> list[TaskState]:
    return [
        TaskState("summary", "", "success"),
        TaskState("challenge", category, state),
        TaskState("discover", "", "success"),
        TaskState("index_cases", "", "success"),
    ]


async def test_an_engineer_starts_a_run_and_watches_it_to_its_end(products: Console, sign_in: SignIn) -> None:
    user = await sign_in("erik")
    await user.open(f"{PATH}?product=dots")
    await see(user, "Nothing was retrained yet")
    user.find(marker="coreset-ratio").type("0.05")
    user.find(marker="fine-tune").click()
    user.find(marker="trials").clear().type("3")
    user.find(marker="force").click()
    user.find(marker="start-retraining").click()
    await see(user, "Airflow has taken it on.")
    await see(user, "Waits for its turn.")
    run = products.airflow.known["manual__1"]
    assert run.note == "Started by erik in the console."
    assert run.conf == {
        "categories": ["dots"],
        "force": True,
        "recipe": "as_set",
        "coreset_ratio": 0.05,
        "alpha": None,
        "use_reviewed": True,
        "fine_tune": True,
        "trials": 3,
        "dry_run": False,
    }
    tasks = [TaskState("challenge", "dots", "running"), TaskState("discover", "", "success")]
    products.airflow.proceed("manual__1", "running", tasks)
    await see(user, "Choosing products")
    await see(user, "running")
    products.airflow.proceed("manual__1", "success", ended("dots"), "dots v2 inspects now. <b>Better</b>.")
    await see(user, "dots v2 inspects now. <b>Better</b>.")
    await see(user, "took 1 min 30 s.")
    await user.should_not_see(marker="stop")
    with products.store.session(read_only=True) as session:
        event = audit.recent(session, action="model.retrain")[0]
    assert (event.actor, event.subject) == ("erik", "run:manual__1")
    assert event.detail["coreset_ratio"] == 0.05


async def test_a_run_is_stopped_and_the_log_says_by_whom(products: Console, sign_in: SignIn) -> None:
    products.airflow.trigger("retrain", {"categories": []})
    products.airflow.proceed("manual__1", "running", [TaskState("challenge", "dots", "running")])
    user = await sign_in("erik")
    await user.open(PATH)
    await see(user, "All products")
    user.find(marker="stop").click()
    await see(user, "Stopped. What inspects has not changed by that.")
    assert products.airflow.known["manual__1"].state == "failed"
    with products.store.session(read_only=True) as session:
        assert audit.recent(session, action="model.retrain_stop")[0].actor == "erik"


async def test_runs_by_drift_and_failures_are_told_apart(products: Console, sign_in: SignIn) -> None:
    airflow = products.airflow
    airflow.trigger("retrain", {"categories": ["dots"]})
    airflow.proceed("manual__1", "failed", ended("dots", "failed"), "dots: failed, see the log of its task.")
    airflow.trigger("retrain", {})
    airflow.known["asset_triggered__2"] = airflow.known.pop("manual__2").__class__(
        "asset_triggered__2", "success", "2026-11-26T06:00:00Z", "2026-11-26T06:00:09Z", "", {}
    )
    airflow.states["asset_triggered__2"] = ended("stripes")
    user = await sign_in("ada")
    await user.open(PATH)
    await see(user, "Because of drift: Stripes")
    await see(user, "Failed")
    await see(user, "dots: failed, see the log of its task.")


async def test_what_airflow_cannot_be_asked_is_said_with_the_next_step(
    products: Console, sign_in: SignIn
) -> None:
    products.airflow.down = True
    user = await sign_in("erik")
    await user.open(PATH)
    await see(user, "Airflow cannot be asked")
    await see(user, "does not answer. Start it.")
    user.find(marker="start-retraining").click()
    await user.should_see(marker="refused", retries=80)
    assert products.airflow.known == {}
    products.airflow.down = False
    user.find(marker="look-again").click()
    await see(user, "Nothing was retrained yet")


async def test_the_page_asks_what_the_form_asks(products: Console, sign_in: SignIn) -> None:
    user = await sign_in("erik")
    await user.open(PATH)
    await see(user, "What to learn again")
    await user.should_not_see(marker="trials")
    user.find(marker="fine-tune").click()
    for name, field in RetrainingOptions.questions().items():
        (drawn,) = user.find(marker=name.replace("_", "-")).elements
        if isinstance(drawn, ui.number):
            bounds = {"min": field.minimum, "max": field.maximum}
            assert {key: drawn.props.get(key) for key in bounds} == bounds
        if isinstance(drawn, ui.select):
            assert list(drawn.options) == ([AS_SET, *field.choices] if field.choices else ["dots", "stripes"])
    user.find(marker="start-retraining").click()
    await see(user, "Airflow has taken it on.")
    assert products.airflow.known["manual__1"].conf == RetrainingOptions(fine_tune=True).filled_in()


async def test_a_wrong_value_is_refused_in_the_forms_words(products: Console, sign_in: SignIn) -> None:
    user = await sign_in("erik")
    await user.open(PATH)
    await see(user, "What to learn again")
    (alpha,) = user.find(marker="alpha").elements
    assert isinstance(alpha, ui.number)
    alpha.value = 3
    user.find(marker="start-retraining").click()
    sentence = 'cannot be the value of "Alpha": it must be a number from 0.001 to 0.5, or empty.'
    await see(user, sentence)
    assert products.airflow.known == {}
    engineer = await _token(products, "erik", ["retrain"])
    answer = await products.client.post("/api/retrain", json={"alpha": 3}, headers=engineer)
    assert (answer.status_code, answer.json()["detail"]) == (422, f"3 {sentence}")
    unknown = await products.client.post("/api/retrain", json={"epochs": 3}, headers=engineer)
    assert unknown.json()["detail"].startswith("There is no option epochs. The options are categories, ")


async def test_rest_documents_what_the_form_asks(products: Console) -> None:
    schema = app.openapi()
    body = schema["paths"]["/api/retrain"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    asked = schema["components"]["schemas"][body["$ref"].rsplit("/", 1)[-1]]["properties"]
    assert {name: FormField.of(name, part) for name, part in asked.items()} == RetrainingOptions.questions()


@pytest.mark.parametrize("name", ["victor", "mia"])
async def test_others_may_not(products: Console, sign_in: SignIn, name: str) -> None:
    user = await sign_in(name)
    await user.open(PATH)
    await see(user, "Not for your role")
    await user.should_not_see(marker="start-retraining")


async def test_a_role_taken_away_while_the_page_is_open_counts(products: Console, sign_in: SignIn) -> None:
    from anomalyos.accounts import users

    user = await sign_in("erik")
    await user.open(PATH)
    await see(user, "Nothing was retrained yet")
    with products.store.session() as session:
        users.set_role(session, name="erik", role="viewer", actor="ada")
    user.find(marker="start-retraining").click()
    await see(user, "engineer")
    assert products.airflow.known == {}


async def _token(console: Console, name: str, scopes: list[str]) -> dict[str, str]:
    from anomalyos.accounts import tokens, users
    from anomalyos.db.rows import stored_id

    with console.store.session() as session:
        owner = users.by_name(session, name)
        _, token = tokens.create(
            session, user_id=stored_id(owner.id), name="t", scopes=scopes, expires_in_days=1, actor=name
        )
    return {"Authorization": f"Bearer {token}"}


async def test_rest_starts_and_follows_a_run(products: Console) -> None:
    engineer = await _token(products, "erik", ["retrain"])
    wish: dict[str, Any] = {"categories": ["dots"], "alpha": 0.1}
    started = await products.client.post("/api/retrain", json=wish, headers=engineer)
    assert started.status_code == 202, started.text
    run_id = started.json()["run_id"]
    assert products.airflow.known[run_id].conf["alpha"] == 0.1
    products.airflow.proceed(run_id, "success", ended("dots"), "dots v2 inspects now.")
    found = (await products.client.get(f"/api/retrain/{run_id}", headers=engineer)).json()
    assert (found["state"], found["outcome"]) == ("done", ["dots v2 inspects now."])
    assert [step["name"] for step in found["steps"]] == [
        "Choosing products",
        "dots",
        "Known defects",
        "Outcome",
    ]


async def test_rest_refuses_what_cannot_be(products: Console) -> None:
    engineer = await _token(products, "erik", ["retrain"])
    post, get = products.client.post, products.client.get
    assert (await post("/api/retrain", json={"categories": ["bolts"]}, headers=engineer)).status_code == 404
    assert (await post("/api/retrain", json={"coreset_ratio": 2}, headers=engineer)).status_code == 422
    assert (await get("/api/retrain/none", headers=engineer)).status_code == 404
    assert (await post("/api/retrain", json={})).status_code == 401
    reader = await _token(products, "erik", ["read"])
    assert (await post("/api/retrain", json={}, headers=reader)).status_code == 403
    reviewer = await _token(products, "mia", ["retrain"])
    assert (await post("/api/retrain", json={}, headers=reviewer)).status_code == 403
    products.airflow.down = True
    answer = await post("/api/retrain", json={}, headers=engineer)
    assert answer.status_code == 503
    assert "does not answer" in answer.text
