"""How likely causes are: a bar for the probability, a line for its interval, the counts in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from anomalyos.knowledge.causes import KnowledgeItem, RankedCause
from console.pages.knowledge import labels
from console.services.knowledge_views import DefectShare
from console.ui import kit, wording
from console.ui.kit import Text, box


def draw_causes(
    causes: Sequence[RankedCause],
    *,
    tools: Callable[[RankedCause], None] | None = None,
    chosen: str = "",
) -> None:
    """Ranked causes, likeliest first.

    Args:
        tools: draws what can be done with one of them.
        chosen: key of the cause that is established.
    """
    with box("aos-kb-causes", "ol"):
        for cause in causes:
            with box("aos-kb-cause" + (" chosen" if cause.key == chosen else ""), "li"):
                with box("aos-kb-cause-top"):
                    kit.link(cause.name, labels.node_address(cause.key), "aos-kb-link strong")
                    if cause.key == chosen:
                        kit.badge(wording.Label("Established", "verified", "normal"))
                    box("space")
                    if tools is not None:
                        tools(cause)
                draw_bar(cause.probability, cause.low, cause.high)
                Text(cause_sentence(cause), "p", "aos-small aos-muted")
                _items("build", "Helps", cause.remedies)
                _items("fact_check", "Check", cause.checks)


def cause_sentence(cause: RankedCause) -> str:
    """What the probability rests on."""
    established = (
        f"established in {cause.confirmed:,} of {wording.plural(cause.confirmed_all, 'case')}"
        if cause.confirmed_all
        else "no case established yet"
    )
    before = f"; {labels.percent(cause.prior)} before any case" if cause.confirmed_all else ""
    return (
        f"Between {labels.percent(cause.low)} and {labels.percent(cause.high)} (90 % interval), "
        f"{established}{before}."
    )


def draw_bar(probability: float, low: float | None = None, high: float | None = None) -> None:
    with box("aos-kb-bar-row"):
        with box("aos-kb-bar").props("aria-hidden=true"):
            box("fill").style(f"width: {100 * probability:.2f}%")
            if low is not None and high is not None:
                box("range").style(f"left: {100 * low:.2f}%; width: {100 * (high - low):.2f}%")
        Text(labels.percent(probability), "b", "aos-kb-share")


def draw_shares(shares: Sequence[DefectShare]) -> None:
    """One cause under each defect type that lists it."""
    with box("aos-kb-causes", "ol"):
        for share in shares:
            with box("aos-kb-cause", "li"):
                with box("aos-kb-cause-top"):
                    owner = f" · {share.defect.owner}" if share.defect.owner else ""
                    address = labels.node_address(share.defect.key)
                    kit.link(f"{share.defect.name}{owner}", address, "aos-kb-link strong")
                    if share.defect.synthetic:
                        kit.synthetic_badge()
                draw_bar(share.probability)
                Text(share_sentence(share), "p", "aos-small aos-muted")


def share_sentence(share: DefectShare) -> str:
    if not share.established:
        return "No case established yet."
    cases = wording.plural(share.established, "case")
    return f"Established in {share.confirmed:,} of {cases}; {labels.percent(share.prior)} before any case."


def draw_change(names: Mapping[str, str], before: Mapping[str, float], after: Mapping[str, float]) -> None:
    """Likelihoods before and after a change that is not saved yet, side by side."""
    with box("aos-kb-compare"):
        Text("Cause", classes="aos-label")
        Text("Now", classes="aos-label")
        Text("After the change", classes="aos-label")
        order = sorted(names, key=lambda key: -max(before.get(key, 0.0), after.get(key, 0.0)))
        for key in order:
            Text(names[key], classes="name")
            _one(before.get(key))
            _one(after.get(key), moved=_moved(before.get(key), after.get(key)))


def _one(share: float | None, *, moved: str = "") -> None:
    with box("aos-kb-compared"):
        if share is None:
            Text("not listed", classes="aos-small aos-muted")
        else:
            draw_bar(share)
        if moved:
            kit.icon(moved, "moved")


def _moved(before: float | None, after: float | None) -> str:
    if before is None or after is None or abs(after - before) < 0.005:
        return ""
    return "trending_up" if after > before else "trending_down"


def _items(icon_name: str, word: str, items: Sequence[KnowledgeItem]) -> None:
    if not items:
        return
    with box("aos-kb-items"):
        kit.icon(icon_name)
        Text(f"{word}:", classes="aos-muted")
        for item in items:
            kit.link(item.name, labels.node_address(item.key), "aos-kb-link")
