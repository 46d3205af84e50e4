"""What happened to an inspection, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from console.services.past_events import Event
from console.ui import kit, wording
from console.ui.kit import Text, box


def draw_timeline(events: Sequence[Event]) -> None:
    with box("aos-timeline", "ol").mark("timeline"):
        for event in events:
            with box(f"aos-timeline-event tone-{event.tone}", "li"):
                kit.icon(event.icon)
                with box("what"):
                    if event.address:
                        kit.link(event.text, event.address, "aos-textlink")
                    else:
                        Text(event.text)
                    if event.note:
                        Text(event.note, "div", "note")
                Text(wording.moment(event.when), "div", "when")
