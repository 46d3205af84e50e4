"""Three questions that tell whether a console serves: is it healthy, does it inspect, does it count."""

from __future__ import annotations

import io
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.core.errors import AnomalyOSError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

SIDE = 224
VERDICTS = ("normal", "anomalous", "unknown_category")
METRICS = ("anomalyos_inspections_total", "anomalyos_review_decisions_total", "anomalyos_queue_depth")
STAGES = "anomalyos_inspection_stage_seconds_count"
ASK_AGAIN_S = 1.0


class CheckFailed(Exception):
    """An answer is not what it should be; the text says what was found."""


@dataclass(frozen=True)
class SmokeCheck:
    """One question and what came of it."""

    name: str
    passed: bool
    finding: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def smoke(
    url: str, *, token: str = "", wait_s: float = 60.0, image: bytes | None = None, timeout_s: float = 60.0
) -> list[SmokeCheck]:
    """Ask the console at ``url`` and judge its answers; a question that fails stops none of the others.

    Args:
        token: of a reviewer, with the scope ``inspect``, and ``read`` where the console is another machine.
        wait_s: how long models may still be loading.
        image: what is inspected; a drawn picture of 224 x 224 pixels when None.

    Raises:
        AnomalyOSError: nothing answers at ``url``, or it is not an address.
    """
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=timeout_s) as client:
            client.get("/health")
            return [
                _judge("GET /health", lambda: check_health(client, wait_s)),
                _judge(
                    "POST /inspect", lambda: check_inspect(client, image or picture(), drawn=image is None)
                ),
                _judge("GET /metrics", lambda: check_metrics(client)),
            ]
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise AnomalyOSError(
            f"Nothing answers at {url}: {error or type(error).__name__}.",
            "Start the console with 'anomalyos console', or correct the address.",
        ) from error


def _judge(name: str, ask: Callable[[], str]) -> SmokeCheck:
    begun = time.monotonic()
    try:
        passed, finding = True, ask()
    except CheckFailed as error:
        passed, finding = False, str(error)
    return SmokeCheck(name, passed, finding, round(time.monotonic() - begun, 3))


def picture() -> bytes:
    """PNG of 224 x 224 pixels: rings on a slope, the same every time."""
    from PIL import Image

    y, x = np.mgrid[:SIDE, :SIDE]
    rings = 127 + 90 * np.sin(np.hypot(x - SIDE / 2, y - SIDE / 2) / 5)
    rgb = np.stack([rings, x * 255 / SIDE, y * 255 / SIDE], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def check_health(client: httpx.Client, wait_s: float) -> str:
    """Raises CheckFailed unless the database answers and a model is loaded within ``wait_s``."""
    deadline = time.monotonic() + wait_s
    while True:
        body = _json(client.get("/health"), 200)
        if body.get("models") != "loading" or time.monotonic() > deadline:
            break
        time.sleep(ASK_AGAIN_S)
    _require(body.get("status") == "ok", f"status is {body.get('status')!r}: {body.get('database')}")
    _require(body.get("models") == "ready", f"models are {body.get('models')!r}, not ready")
    categories, versions = body.get("categories"), body.get("versions")
    _require(isinstance(categories, list) and bool(categories), "no product has a model yet")
    _require(isinstance(versions, dict) and bool(versions.get("anomalyos")), "no version is named")
    assert isinstance(categories, list)
    assert isinstance(versions, dict)
    return f"version {versions['anomalyos']}, {len(categories)} products ready"


def check_inspect(client: httpx.Client, image: bytes, *, drawn: bool) -> str:
    """Raises CheckFailed unless the picture is inspected and the answer agrees with itself."""
    answer = client.post("/inspect", files={"file": ("smoke.png", image, "image/png")})
    body = _json(answer, 200)
    verdict = body.get("verdict")
    _require(verdict in VERDICTS, f"verdict is {verdict!r}")
    _require(isinstance(body.get("id"), int), "the inspection has no number")
    size = (body.get("width"), body.get("height"))
    _require(not drawn or size == (SIDE, SIDE), f"the picture came out as {size[0]} x {size[1]} pixels")
    _require(bool(body.get("timings_ms")), "no time was taken")
    if verdict == "unknown_category":
        return f"inspection {body['id']}: a picture of no known product, and said so"
    score, limit, p_value = (_number(body, name) for name in ("score", "threshold", "p_value"))
    _require(0 < p_value <= 1, f"the p-value is {p_value}")
    _require((score > limit) == (verdict == "anomalous"), f"score {score}, limit {limit}, yet {verdict}")
    return f"inspection {body['id']}: {verdict}, score {score:.4g}, limit {limit:.4g}"


def check_metrics(client: httpx.Client) -> str:
    """Raises CheckFailed unless the figures are there and count what was just inspected."""
    from prometheus_client.parser import text_string_to_metric_families

    answer = client.get("/metrics")
    _require(answer.status_code == 200, _refusal(answer))
    try:
        samples = [
            sample for family in text_string_to_metric_families(answer.text) for sample in family.samples
        ]
    except ValueError as error:
        raise CheckFailed(f"not in Prometheus' format: {error}") from error
    missing = [name for name in METRICS if name not in {sample.name for sample in samples}]
    _require(not missing, f"lacks {', '.join(missing)}")
    inspected = sum(sample.value for sample in samples if sample.name == METRICS[0])
    timed = any(sample.name == STAGES and sample.value > 0 for sample in samples)
    _require(inspected >= 1 and timed, "the inspection was not counted")
    return f"{len(samples)} figures, {inspected:.0f} images inspected in all"


def _json(answer: httpx.Response, status: int) -> dict[str, Any]:
    _require(answer.status_code == status, _refusal(answer))
    try:
        body = answer.json()
    except ValueError as error:
        raise CheckFailed("the answer is not JSON") from error
    _require(isinstance(body, dict), "the answer is not a JSON object")
    return dict(body)


def _refusal(answer: httpx.Response) -> str:
    """What a refused question was told, and what helps."""
    try:
        detail = str(answer.json().get("detail", ""))
    except (ValueError, AttributeError):
        detail = answer.text[:200]
    help_ = " Give a token with --token." if answer.status_code in {401, 403} else ""
    return f"status {answer.status_code}: {detail}{help_}"


def _number(body: dict[str, Any], name: str) -> float:
    value = body.get(name)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise CheckFailed(f"{name} is {value!r}, not a number")
    return float(value)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CheckFailed(otherwise)
