"""Runtimes: what computes a network's forward pass.

OpenVINO is the fastest measured on a CPU (docs/measurements.md) and the default there. All compute in
float32: a processor that would take bfloat16 by itself is told not to, because a threshold learned on one
machine must hold on another.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.files.writing import PART
from anomalyos.core.runtime import Engine, RuntimeSettings

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]
Forward = Callable[[Pixels], "tuple[Tensor, Tensor]"]
"""(N, S, S, 3) pixels to patches and embeddings (see :class:`networks.PatchNetwork`), on the device."""

CONVERSION = 1
"""Counts up whenever a network is converted otherwise, so that none converted before is taken."""
OPSET = 18


def pick_engine(settings: RuntimeSettings, device: torch.device) -> Engine:
    """The engine to use on ``device``; ``auto`` resolved.

    Raises:
        AnomalyOSError: for an engine that is not installed, or that cannot compute on the device.
    """
    wanted = settings.runtime
    if wanted == "auto":
        return "openvino" if device.type == "cpu" and find_spec("openvino") else "torch"
    if wanted == "torch":
        return wanted
    if device.type != "cpu":
        raise AnomalyOSError(
            f"The runtime {wanted} computes on the CPU only, and the device is {device.type}.",
            "Set ANOMALYOS_RUNTIME=auto, or ANOMALYOS_DEVICE=cpu.",
        )
    if find_spec(wanted) is None:
        raise AnomalyOSError(f"The runtime {wanted} is not installed.", f"Install {wanted}, or take auto.")
    return wanted


def forward_pass(
    network: Callable[[], nn.Module],
    size: int,
    facts: tuple[object, ...],
    settings: RuntimeSettings,
    device: torch.device,
) -> Forward:
    """How to compute ``network``; where ``auto`` meets a network that cannot be converted, torch computes it
    and a remark says so.

    Args:
        network: makes the module; called only where no converted one is kept.
        size: side of the pictures the network takes.
        facts: what the converted network depends on: equal facts share what is kept.

    Raises:
        AnomalyOSError: the engine that was asked for is not there or cannot compute the network.
    """
    engine = pick_engine(settings, device)
    if engine == "torch":
        return _torch_forward(network(), device)
    key = hashlib.sha256(
        json.dumps([CONVERSION, engine, version(engine), version("torch"), facts]).encode()
    ).hexdigest()
    if settings.compiled_dir is not None and (kept := settings.compiled_dir / key[:32]).is_dir():
        return _OPEN[engine](kept, settings.threads)
    module = network()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            _CONVERT[engine](module, size, folder)
            forward = _OPEN[engine](folder, settings.threads)
        except Exception as error:
            if settings.runtime != "auto":
                raise AnomalyOSError(
                    f"{engine} cannot compute this recipe: {error}", "Set ANOMALYOS_RUNTIME=torch."
                ) from error
            log.warning("%s cannot compute this recipe, so torch does: %s", engine, error)
            return _torch_forward(module, device)
        if settings.compiled_dir is not None:
            _keep(folder, settings.compiled_dir / key[:32])
    return forward


def _torch_forward(network: nn.Module, device: torch.device) -> Forward:
    import torch

    placed = network.to(device).to(memory_format=torch.channels_last)

    def forward(pixels: Pixels) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            patches, whole = placed(torch.from_numpy(pixels).to(device))
        return patches, whole

    return forward


def _openvino() -> Any:
    """OpenVINO without the part that writes to the user's home and reports its use.

    It does without where the package ``openvino_telemetry`` is missing, so that one is made to look missing.
    A program that imported OpenVINO before keeps what it has.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _convert_openvino(network: nn.Module, size: int, folder: Path) -> None:
    import torch

    openvino = _openvino()
    example = torch.zeros((1, size, size, 3), dtype=torch.uint8)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes, which are fixed here
        model = openvino.convert_model(network, example_input=example, input=[(-1, size, size, 3)])
    openvino.save_model(model, folder / "network.xml", compress_to_fp16=False)


def _open_openvino(folder: Path, threads: int | None) -> Forward:
    openvino = _openvino()
    # the weights are read now: the folder may be gone when they are needed
    core = openvino.Core()
    core.set_property({"ENABLE_MMAP": False})
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        options["INFERENCE_NUM_THREADS"] = threads
    compiled = core.compile_model(core.read_model(folder / "network.xml"), "CPU", options)
    return _one_at_a_time(lambda pixels: compiled(pixels))


def _convert_onnx(network: nn.Module, size: int, folder: Path) -> None:
    import torch

    example = torch.zeros((1, size, size, 3), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            str(folder / "network.onnx"),
            input_names=["pixels"],
            output_names=["patches", "whole"],
            dynamic_axes={name: {0: "count"} for name in ("pixels", "patches", "whole")},
            opset_version=OPSET,
            dynamo=False,
        )


def _open_onnx(folder: Path, threads: int | None) -> Forward:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        (folder / "network.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    return _one_at_a_time(lambda pixels: session.run(None, {"pixels": pixels}))


def _one_at_a_time(compute: Callable[[Pixels], Any]) -> Forward:
    """A compiled network has one set of buffers: two threads must not fill it together."""
    import torch

    working = threading.Lock()

    def forward(pixels: Pixels) -> tuple[Tensor, Tensor]:
        with working:
            found = compute(np.ascontiguousarray(pixels))
            patches, whole = (torch.from_numpy(np.array(found[number])) for number in range(2))
        return patches, whole

    return forward


def _keep(folder: Path, target: Path) -> None:
    """Move a converted network to its name, whole; of two processes at once the first one stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(16)}{PART}")
    try:
        shutil.copytree(folder, part)
        part.rename(target)
    except OSError as error:
        log.info("the converted network is not kept: %s", error)
        shutil.rmtree(part, ignore_errors=True)


_CONVERT: dict[Engine, Callable[[nn.Module, int, Path], None]] = {
    "openvino": _convert_openvino,
    "onnxruntime": _convert_onnx,
}
_OPEN: dict[Engine, Callable[[Path, int | None], Forward]] = {
    "openvino": _open_openvino,
    "onnxruntime": _open_onnx,
}
