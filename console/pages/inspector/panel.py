"""What is known about one inspection, in words and small pictures, beside the photo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.components import score_bar
from console.services.views import Detail, ReviewView
from console.ui import kit, wording
from console.ui.kit import Text, box

_STAGE_WORDS = {
    "decode": "open",
    "route": "recognise",
    "features": "read",
    "search": "compare",
    "map": "map",
    "store": "keep",
}


def draw_verdict(detail: Detail, copy_link: Callable[[], Awaitable[None]]) -> None:
    card = detail.card
    with box("aos-verdict"):
        with box("aos-verdict-row"):
            kit.badge(wording.verdict_label(card.verdict))
            if card.synthetic:
                kit.synthetic_badge()
            box("space")
            tip = "Copy a link to this result"
            kit.button("", copy_link, icon_name="link", classes="small quiet", tip=tip).mark("copy-link")
        Text(wording.product(card.category), "h2", "aos-product")
        Text(detail.sentence, "p", "aos-sentence").mark("sentence")
        score_bar.draw(detail)
        if detail.route_mismatch:
            kit.notice(
                f"Delivered as {detail.given_category}, but it looks like {detail.routed_category}. "
                "It was scored as delivered.",
                "unsure",
                "swap_horiz",
            )
        if card.reject_code:
            kit.notice(
                wording.NEXT_STEPS.get(card.reject_code, "Send the photo again."), "accent", "lightbulb"
            )


def draw_facts(detail: Detail) -> None:
    with box("aos-section"):
        Text("About this image", "h3")
        with box("aos-facts", "dl"):
            for name, value in _facts(detail):
                Text(name, "dt")
                Text(value, "dd")
    if detail.timings_ms:
        _draw_timings(detail.timings_ms)


def _facts(detail: Detail) -> list[tuple[str, str]]:
    folder, _, name = detail.card.source.rpartition("/")
    facts = [
        ("File", name),
        *([("Folder", folder)] if folder else []),
        ("Batch", detail.batch_title),
        ("Inspected", wording.moment(detail.created_at)),
    ]
    if detail.width:
        facts.append(("Size", f"{detail.width:,} × {detail.height:,} px"))
    if detail.card.category:
        facts.append(("Category", detail.card.category))
    if detail.model:
        facts.append(("Model", f"{detail.model} ({detail.recipe})" if detail.recipe else detail.model))
    if detail.card.p_value is not None:
        facts.append(("p-value", wording.number(detail.card.p_value)))
    if detail.alpha is not None:
        facts.append(("Promised false alarms", f"at most {100 * detail.alpha:.3g} % of normal parts"))
    if detail.regions:
        facts.append(("Regions", str(len(detail.regions))))
    if detail.routed_category and detail.routed_similarity is not None:
        facts.append(("Recognised as", f"{detail.routed_category} ({detail.routed_similarity:.3f})"))
    facts.append(("Number", str(detail.card.id)))
    return facts


def _draw_timings(timings: dict[str, float]) -> None:
    stages = [(name, timings[name]) for name in _STAGE_WORDS if timings.get(name)]
    total = timings.get("total") or sum(value for _, value in stages)
    with box("aos-section"):
        Text(f"Took {wording.milliseconds(total)}", "h3")
        with box("aos-times").props("aria-hidden=true"):
            for _, value in stages:
                box().style(f"flex: {max(value, 0.01):.3f} 1 0")
        Text(
            " · ".join(f"{_STAGE_WORDS[name]} {wording.milliseconds(value)}" for name, value in stages),
            "p",
            "aos-muted aos-small",
        )


def draw_history(history: list[ReviewView]) -> None:
    with box("aos-section"):
        Text("Reviews", "h3")
        if not history:
            Text("Nobody has decided yet.", "p", "aos-muted aos-small")
        for review in history:
            _draw_review(review)


def _draw_review(review: ReviewView) -> None:
    label = wording.decision_label(review.decision)
    undone = review.kind == "undo"
    with box(f"aos-event tone-{'rejected' if undone else label.tone}"):
        kit.icon("undo" if undone else label.icon)
        with box("what"):
            if undone:
                back = "undecided" if review.decision == "withdrawn" else f"“{label.word}”"
                Text(f"{review.reviewer} took it back to {back}")
            else:
                kind = f" ({review.defect_type})" if review.defect_type else ""
                Text(f"{label.word}{kind} by {review.reviewer}")
        if review.note and not undone:
            Text(review.note, "div", "note")
        Text(wording.moment(review.when), "div", "when")
