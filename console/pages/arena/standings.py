"""Rankings, and people against the AI as a picture."""

from __future__ import annotations

from nicegui import ui

from anomalyos.arena.standings import Standing, Tally
from console.security.person import Person
from console.ui import kit, wording
from console.ui.kit import Text, box

_MOST_BARS = 8


def draw(title: str, rows: list[Standing], me: Person, empty: str, *, rounds: bool = False) -> None:
    """A ranking with the reader's own line marked.

    Args:
        rounds: also show how many rounds the points come from.
    """
    with box("aos-card aos-arena-board", "section"):
        Text(title, "h2")
        if not rows:
            Text(empty, "p", "aos-muted")
            return
        with box("aos-arena-table", "table"):
            with box("", "thead"), box("", "tr"):
                for word in ("Place", "Player", *(("Rounds",) if rounds else ()), "Right : AI", "Points"):
                    Text(word, "th").props("scope=col")
            with box("", "tbody"):
                for place, row in enumerate(rows, start=1):
                    _line(place, row, me, rounds)


def _line(place: int, row: Standing, me: Person, rounds: bool) -> None:
    mine = row.user_id == me.user_id
    with box("mine" if mine else "", "tr"):
        Text(str(place), "td", "place")
        with box("name", "td"):
            Text(row.name)
            if mine:
                Text("you", classes="aos-arena-you")
        if rounds:
            Text(f"{row.rounds:,}", "td")
        Text(f"{row.right:,} : {row.ai_right:,}", "td")
        Text(f"{row.points:,}", "td", "points")


def draw_duel(tallies: list[Tally]) -> None:
    """Share of right calls by product, people beside the AI on the same pictures."""
    if not tallies:
        return
    shown = tallies[:_MOST_BARS]
    with box("aos-card aos-arena-duel", "section"):
        with box("aos-arena-duel-head"):
            Text("People against the AI", "h2")
            with box("aos-legend"):
                _legend("person", "People", "you")
                _legend("memory", "AI", "ai")
        for tally in shown:
            _duel_line(tally)
        if len(tallies) > len(shown):
            rest = sum(tally.calls for tally in tallies[_MOST_BARS:])
            Text(
                f"{wording.plural(len(tallies) - len(shown), 'more product')} with"
                f" {wording.plural(rest, 'call')} not shown.",
                "p",
                "aos-muted aos-small",
            )


def _duel_line(tally: Tally) -> None:
    mine, its = tally.right / tally.calls, tally.ai_right / tally.calls
    with box(
        "aos-arena-duel-line",
        aria_label=(
            f"{wording.product(tally.category)}: people right in {tally.right} of {tally.calls} calls,"
            f" the AI in {tally.ai_right}"
        ),
    ).props("role=img"):
        with box("what"):
            Text(wording.product(tally.category), "div", "name")
            Text(wording.plural(tally.calls, "call"), "div", "aos-muted aos-small")
        with box("bars"):
            _bar("you", mine, tally.right)
            _bar("ai", its, tally.ai_right)


def _bar(who: str, share: float, count: int) -> None:
    with box(f"bar {who}"):
        with box("track"):
            box("fill").style(f"width: {100 * share:.1f}%")
        Text(f"{share:.0%}", "b")
        Text(f"{count:,} right", classes="aos-muted")


def _legend(icon_name: str, word: str, who: str) -> ui.element:
    with box(f"aos-arena-who {who}", "span") as element:
        kit.icon(icon_name)
        Text(word)
    return element
