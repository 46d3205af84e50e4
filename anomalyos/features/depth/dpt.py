"""Larger depth models: any DPT or Depth-Anything checkpoint in a local folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.backbones import pick_device
from anomalyos.features.weights import WeightsMissing


class Dpt:
    """Nearness from the checkpoint in ``folder`` (config.json, preprocessor_config.json, *.safetensors).

    Raises:
        WeightsMissing: when the folder holds no such checkpoint, or one that lacks tensors.
    """

    def __init__(self, folder: Path, settings: RuntimeSettings) -> None:
        if not (folder / "config.json").is_file():
            raise WeightsMissing(
                f"There is no depth model '{folder}'.",
                "ANOMALYOS_DEPTH_MODEL is shape_from_shading, midas_small, or a checkpoint's folder.",
            )
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation

        self.method = folder.name
        self.device = pick_device(settings)
        try:
            model, report = AutoModelForDepthEstimation.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
            loader: Any = AutoImageProcessor
            self.processor = loader.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise WeightsMissing(f"The depth model in '{folder}' cannot be loaded: {error}") from error
        if report["missing_keys"]:
            first = sorted(report["missing_keys"])[0]
            raise WeightsMissing(
                f"The depth model in '{folder}' lacks {len(report['missing_keys'])} tensors, first {first}.",
                "Random values would give depths that mean nothing; download the checkpoint again.",
            )
        self.model = model.eval().to(self.device)

    def __call__(self, rgb: NDArray[np.uint8]) -> Float32Array:
        """Nearness (H, W) float32 of ``rgb`` (H, W, 3)."""
        import torch
        import torch.nn.functional as F  # noqa: N812

        inputs = self.processor(images=rgb, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            nearness = self.model(**inputs).predicted_depth
            whole = F.interpolate(nearness[:, None], size=rgb.shape[:2], mode="bicubic", align_corners=False)
        return np.asarray(whole[0, 0].float().cpu().numpy(), dtype=np.float32)
