"""anomalib's side of ``versus_anomalib``; it runs in anomalib's own environment (see :mod:`sides`).

The models are anomalib's own modules, called as its trainer calls them, without the trainer around them: no
checkpoints, no thresholds, no pictures drawn, all of which would only cost it time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.benchmarks.sides import forget_peak, memory, serve, timed

THREADS = 2
BATCH = 32
"""anomalib's own batch size of training and evaluation."""
SCORE_BATCH = 16
DINO = "vit_small_patch14_dinov2"
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

Map = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(N, S, S, 3) uint8 to scores (N,) and maps (N, S, S); a converted model takes (N, 3, S, S) in 0..1, too."""

forms: dict[str, Map] = {}
modules: dict[str, nn.Module] = {}


def build(model: str, size: int, weights: str, bank_share: float) -> nn.Module:
    """anomalib's module with the weights of ``weights``, which a missing or left-over tensor refuses.

    ``bank_share`` is the share of patches kept, 1 for all.
    """
    from anomalib.models import AnomalyDINO, Patchcore
    from safetensors.torch import load_file

    off = {"post_processor": False, "evaluator": False, "visualizer": False}
    if model == "patchcore":
        module = Patchcore(
            backbone="tf_efficientnet_lite0",
            layers=["blocks.2", "blocks.4"],
            pre_trained=False,
            pre_processor=_lite_pre_processor(size),
            coreset_sampling_ratio=bank_share,
            **off,
        )
        encoder = module.model.feature_extractor.feature_extractor
        deeper: tuple[str, ...] = ("blocks.5.", "blocks.6.", "conv_head.", "bn2.", "classifier.")
    else:
        module = _without_a_hub(
            lambda: AnomalyDINO(
                encoder_name=DINO,
                coreset_subsampling=bank_share < 1,
                sampling_ratio=bank_share,
                pre_processor=AnomalyDINO.configure_pre_processor((size, size)),
                **off,
            )
        )
        encoder, deeper = module.model.feature_encoder.feature_extractor, ()
    missing, left = encoder.load_state_dict(load_file(weights), strict=False)
    if missing or any(not name.startswith(deeper) for name in left):
        raise ValueError(f"the weights do not fit: {len(missing)} missing, {len(left)} left over")
    return module


def _lite_pre_processor(size: int) -> nn.Module:
    """PatchCore's own, with the normalisation EfficientNet-Lite was trained with in place of ImageNet's."""
    from anomalib.pre_processing import PreProcessor
    from torchvision.transforms.v2 import Compose, Normalize, Resize

    steps = [Resize((size, size), antialias=True), Normalize(mean=[0.5] * 3, std=[0.5] * 3)]
    return PreProcessor(transform=Compose(steps))


def _without_a_hub(make: Callable[[], nn.Module]) -> nn.Module:
    """AnomalyDINO always asks for pretrained weights by name; its encoder is filled by hand instead."""
    from anomalib.models.image.anomaly_dino import torch_model

    original = torch_model.TimmFeatureExtractor
    torch_model.TimmFeatureExtractor = lambda **options: original(**options | {"pre_trained": False})
    try:
        return make()
    finally:
        torch_model.TimmFeatureExtractor = original


def fit(
    model: str,
    form: str,
    train: Sequence[str],
    size: int,
    bank: int,
    patches: int,
    weights: str,
    picks: str,
) -> dict[str, Any]:
    """Learn ``form`` from the pictures; seconds and memory of it.

    Args:
        bank: vectors to keep of the ``patches`` there will be.
        picks: ``own`` selects them by anomalib's loop; ``lazy`` finds the same picks in less time.
    """
    module = build(model, size, weights, 1.0 if bank >= patches else (bank + 0.5) / patches)
    before = forget_peak()
    start = time.perf_counter()
    module.train()
    with torch.no_grad():
        for batch in _batches(train, BATCH, module.pre_processor):
            module.model(batch)
    features = time.perf_counter() - start
    sampler = _lazy_picks() if picks == "lazy" else None
    try:
        module.fit()
    finally:
        if sampler is not None:
            sampler()
    whole = time.perf_counter() - start
    module.eval()
    modules[form] = module
    forms[form] = _torch_form(module)
    return {
        "bank": int(module.model.memory_bank.shape[0]),
        "features_s": round(features, 2),
        "coreset_s": round(whole - features, 2),
        "whole_s": round(whole, 2),
        "before_mib": before,
        "peak_mib": memory()["peak_mib"],
    }


def _lazy_picks() -> Callable[[], None]:
    """Put the lazily batched loop in place of anomalib's until the function returned is called.

    Start, random projection and rule are anomalib's: each pick is the patch farthest from those before.
    """
    from anomalib.models.components.sampling.k_center_greedy import KCenterGreedy

    original = KCenterGreedy.select_coreset_idxs
    KCenterGreedy.select_coreset_idxs = lazy_indices

    def undo() -> None:
        KCenterGreedy.select_coreset_idxs = original

    return undo


def lazy_indices(sampler: Any) -> list[int]:
    """What ``KCenterGreedy.select_coreset_idxs`` picks."""
    from anomalyos.patchcore import coreset

    sampler.model.fit(sampler.embedding)
    features = sampler.model.transform(sampler.embedding)
    start = int(torch.randint(high=sampler.n_observations, size=(1,)))
    # it is projected already
    coreset.PROJECT_ABOVE = features.shape[1]
    return coreset.greedy_coreset(features, sampler.coreset_size, start=start).tolist()


def compare_picks(rows: int, dims: int, count: int) -> dict[str, Any]:
    """How many of ``count`` picks the lazy loop shares with anomalib's own, from one seed."""
    from anomalib.models.components.sampling.k_center_greedy import KCenterGreedy

    features = torch.randn(rows, dims, generator=torch.Generator().manual_seed(0))

    def picks(select: Callable[[Any], list[int]]) -> set[int]:
        torch.manual_seed(0)
        np.random.seed(0)
        return set(select(KCenterGreedy(features, (count + 0.5) / rows)))

    shared = picks(KCenterGreedy.select_coreset_idxs) & picks(lazy_indices)
    return {"rows": rows, "picks": count, "shared": len(shared)}


def _batches(images: Sequence[str], size: int, prepare: nn.Module) -> Iterator[torch.Tensor]:
    """Pictures as anomalib reads and prepares them, (N, 3, S, S)."""
    from anomalib.data.utils import read_image

    for first in range(0, len(images), size):
        pictures = (read_image(path, as_tensor=True)[None] for path in images[first : first + size])
        yield torch.cat([prepare(picture) for picture in pictures])


def score(form: str, images: Sequence[str]) -> dict[str, Any]:
    """Image scores in the order of ``images``, the module's own pre-processing before them."""
    module, scores = modules[form], []
    with torch.inference_mode():
        for batch in _batches(images, SCORE_BATCH, module.pre_processor):
            scores += module.model(batch).pred_score.flatten().tolist()
    return {"scores": scores}


def score_openvino(form: str, images: Sequence[str], size: int) -> dict[str, Any]:
    """The same with a converted model of batch 1, which normalises by itself."""
    from torchvision.transforms.v2 import Resize

    scores: list[float] = []
    for batch in _batches(images, 1, Resize((size, size), antialias=True)):
        scores += forms[form](batch.clamp(0, 1).numpy())[0].tolist()
    return {"scores": scores}


def _torch_form(module: nn.Module) -> Map:
    def compute(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            found = module(torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255))
        return found.pred_score.flatten().numpy(), found.anomaly_map[:, 0].numpy()

    return compute


def export(form: str, folder: str, size: int, batch: int) -> dict[str, Any]:
    """Convert a learned model with anomalib's own exporter, for one size of batch."""
    start = time.perf_counter()
    shapes = None if batch == 1 else ({0: batch},)
    path = modules[form].to_openvino(
        folder, input_size=(size, size), onnx_kwargs={"dynamic_axes": None, "dynamic_shapes": shapes}
    )
    return {"path": str(path), "seconds": round(time.perf_counter() - start, 2)}


def open_openvino(form: str, path: str, precision: str | None) -> dict[str, Any]:
    """A converted model through anomalib's own inferencer; without ``precision`` the runtime chooses."""
    from anomalib.deploy import OpenVINOInferencer

    config: dict[str, Any] = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"}
    if precision is not None:
        config["INFERENCE_PRECISION_HINT"] = precision
    inferencer = OpenVINOInferencer(path, device="CPU", config=config)

    def compute(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = inferencer.model(inferencer.pre_process(pixels))
        return found["pred_score"].reshape(-1), found["anomaly_map"][:, 0]

    forms[form] = compute
    used = inferencer.model.get_property("INFERENCE_PRECISION_HINT")
    return {"precision": str(used.get_type_name() if hasattr(used, "get_type_name") else used)}


def save(form: str, path: str) -> dict[str, Any]:
    torch.save(modules[form].state_dict(), path)
    return {"mib": round(Path(path).stat().st_size / 2**20, 1)}


def load(model: str, form: str, size: int, path: str, weights: str) -> dict[str, Any]:
    """A learned model back from its file."""
    module = build(model, size, weights, 0.5).eval()
    module.load_state_dict(torch.load(path, weights_only=True))
    modules[form], forms[form] = module, _torch_form(module)
    return {}


def latency(form: str, pixels: str, batch: int, repeats: int) -> dict[str, Any]:
    """Milliseconds from pixels (a file with (N, S, S, 3) uint8) to scores and maps, for each repeat."""
    array = np.load(pixels)[:batch]
    return {"ms": timed(lambda: forms[form](array), repeats)}


def peak(start: bool) -> dict[str, Any]:
    """Begin to watch memory, or say what the most was."""
    return {"rss_mib": forget_peak()} if start else memory()


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    names = (fit, score, score_openvino, export, open_openvino, save, load, latency, peak, compare_picks)
    serve({each.__name__: each for each in names})
