"""Versions of a product with the figures they are judged by, and two of them side by side."""

from __future__ import annotations

from collections.abc import Callable

from console.services.models import ProductView, VersionView
from console.ui import kit, wording
from console.ui.kit import Text, box

Promote = Callable[[ProductView, VersionView], None]
"""Asks whether a version shall be put in use."""

GATE = {
    True: wording.Label("Passed", "check_circle", "normal"),
    False: wording.Label("Refused", "block", "defect"),
    None: wording.Label("Not judged", "help", "rejected"),
}
_TITLES = ("Version", "Image AUROC", "AUPRO", "False alarms", "Size", "Gate")


def draw_versions(view: ProductView, promote: Promote) -> None:
    with box("aos-adm-table-wrap"), box("aos-adm-table aos-versions", "table"):
        with box("", "thead"), box("", "tr"):
            for title in _TITLES:
                Text(title, "th").props("scope=col")
            with box("", "th").props("scope=col"):
                Text("Actions", classes="aos-hidden")
        with box("", "tbody"):
            for version in view.versions:
                _draw_row(view, version, promote)


def _draw_row(view: ProductView, version: VersionView, promote: Promote) -> None:
    with box("in-use" if version.in_use else "", "tr").mark(f"version-{version.version}"):
        with box("", "th").props("scope=row"):
            Text(f"v{version.version}", "div", "aos-version")
            Text(version.recipe, "div", "aos-small aos-muted")
            Text(wording.moment(version.made), "div", "aos-small aos-muted aos-nowrap")
        Text(figure(version.image_auroc), "td")
        Text(figure(version.aupro), "td")
        with box("", "td"):
            Text(alarms(version), "div")
            if version.false_alarms is not None:
                Text(f"promised {version.false_alarms.promised:.1%}", "div", "aos-small aos-muted")
        Text(size(version.bytes), "td", "aos-nowrap")
        with box("aos-gate", "td"):
            kit.badge(GATE[version.gate_passed])
            Text(version.gate_reason, "div", "aos-small aos-muted aos-wrap")
        with box("aos-actions", "td"):
            if version.in_use:
                kit.badge(wording.Label("In use", "verified", "accent"))
            else:
                kit.button(
                    "Promote",
                    lambda: promote(view, version),
                    icon_name="upgrade",
                    classes="small",
                ).mark(f"promote-{version.version}").props["aria-label"] = f"Promote v{version.version}"


def draw_comparison(present: VersionView | None, other: VersionView) -> None:
    """``other`` beside the version in use, with the difference in words where both were measured."""
    with box("aos-adm-table-wrap"), box("aos-adm-table aos-compare", "table"):
        with box("", "thead"), box("", "tr"):
            Text("", "td")
            Text(f"v{present.version} (in use)" if present else "Nothing in use", "th").props("scope=col")
            Text(f"v{other.version}", "th").props("scope=col")
            Text("Difference", "th").props("scope=col")
        with box("", "tbody"):
            _compare("Image AUROC", present, other, lambda v: figure(v.image_auroc), lambda v: v.image_auroc)
            _compare("AUPRO", present, other, lambda v: figure(v.aupro), lambda v: v.aupro)
            _compare("False alarms", present, other, alarms, _alarm_share, less_is_better=True)
            _compare("Size", present, other, lambda v: size(v.bytes), None)
            _compare("Recipe", present, other, lambda v: v.recipe, None)
    if present is not None and present.test_hash != other.test_hash:
        kit.notice(
            "The two were measured on different test images, so their figures do not compare.",
            "unsure",
            "warning",
        )


def _compare(
    title: str,
    present: VersionView | None,
    other: VersionView,
    shown: Callable[[VersionView], str],
    measured: Callable[[VersionView], float | None] | None,
    *,
    less_is_better: bool = False,
) -> None:
    with box("", "tr"):
        Text(title, "th").props("scope=row")
        Text(shown(present) if present else "–", "td")
        Text(shown(other), "td")
        with box("", "td"):
            before = measured(present) if measured and present else None
            after = measured(other) if measured else None
            if before is None or after is None:
                Text("–", classes="aos-muted")
            else:
                _difference(after - before, less_is_better=less_is_better)


def _difference(change: float, *, less_is_better: bool) -> None:
    if abs(change) < 5e-5:
        kit.badge(wording.Label("the same", "drag_handle", "rejected"))
        return
    better = (change < 0) == less_is_better
    word = f"{abs(change):.4f} {'better' if better else 'worse'}"
    icon = "trending_up" if better else "trending_down"
    kit.badge(wording.Label(word, icon, "normal" if better else "defect"))


def figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"


def alarms(version: VersionView) -> str:
    """``2 of 60`` normal test images; in words when none were there to count."""
    measured = version.false_alarms
    return "not measured" if measured is None else f"{measured.hits} of {measured.of}"


def _alarm_share(version: VersionView) -> float | None:
    measured = version.false_alarms
    return None if measured is None else measured.hits / measured.of


def size(count: int | None) -> str:
    if count is None:
        return "files missing"
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 2**10:.0f} kB"
