"""Where the score comes from, by each method, side by side; zooming one zooms all."""

from __future__ import annotations

from anomalyos.explain.evidence import CamExplanation, Evidence, NamedDefect
from console.components.explanation.words import MAP_NAMES, defect_name
from console.services.views import Detail
from console.ui import kit
from console.ui.kit import Text, box

_WHAT = {
    "gradcam_pp": "Where a change would move the score, smoothed",
    "hirescam": "The same, place by place",
}


class MapRow:
    """The photograph and its maps. ``show`` adds what has been computed since."""

    def __init__(self, detail: Detail) -> None:
        self._detail = detail
        with box("aos-sync", "section") as self._row:
            self._row.props("tabindex=0 role=group aria-label='Photograph and maps; plus and minus zoom all'")
            with box("aos-sync-tools"):
                if detail.has_map:
                    with box("aos-heat-control", "label"):
                        Text("Strength")
                        box(
                            "aos-slider",
                            "input",
                            type="range",
                            min="0",
                            max="100",
                            value="60",
                            aria_label="Strength of the maps",
                        )
                box("space")
                for icon, action, tip in (
                    ("zoom_out", "out", "Smaller"),
                    ("fit_screen", "reset", "Whole picture"),
                    ("zoom_in", "in", "Larger (or drag and double-click)"),
                ):
                    kit.button("", icon_name=icon, classes="small quiet", tip=tip, data_sync=action)
            self._views = box("aos-sync-views")

    def show(self, evidence: Evidence | None) -> None:
        cams = {cam.method: cam for cam in evidence.cams} if evidence is not None else {}
        self._views.clear()
        with self._views:
            self._view("Photograph", "As it was delivered", "")
            if self._detail.has_map:
                heat = f"/media/heatmap/{self._detail.card.id}"
                self._view("Anomaly map", "Distance to the nearest normal patch", heat)
            for method, name in MAP_NAMES.items():
                if method in cams:
                    self._view(name, _WHAT[method], self._address(cams[method], method))
            if evidence is not None and evidence.named is not None:
                named = evidence.named
                self._view(*naming(named), self._address(named.cam, "gradcam_pp_class"))

    def _address(self, cam: CamExplanation, method: str) -> str:
        digest = cam.overlay_path.rsplit("/", 1)[-1][:12]
        return f"/media/overlay/{self._detail.card.id}/{method}?v={digest}"

    def _view(self, name: str, meaning: str, overlay: str) -> None:
        detail = self._detail
        with box("aos-sync-view", "figure"):
            ratio = detail.width / max(1, detail.height)
            with box("aos-sync-frame").style(f"--ratio: {ratio:.5f}"), box("aos-sync-layer"):
                _image(f"/media/image/{detail.card.id}", "photo", f"{name} of {detail.card.category}")
                if overlay:
                    _image(overlay, "over", "")
            with box("", "figcaption"):
                Text(name, "b")
                Text(meaning, "div", "aos-muted aos-small")


def naming(named: NamedDefect) -> tuple[str, str]:
    """Heading and small print of what the classifier says: ``Torn fabric?``, ``82 % sure, by names v2``."""
    sure = f"{named.probability:.0%}".replace("%", " %")
    likeliest = defect_name(named.likeliest)
    if named.label is None:
        return "No name", f"Not sure enough: {likeliest} with {sure}, by names v{named.version}"
    return f"{likeliest}?", f"{sure} sure, by names v{named.version}: what speaks for it"


def _image(address: str, classes: str, alt: str) -> None:
    kit.image(address, alt, classes, draggable="false")
