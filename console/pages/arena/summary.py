"""The end of a round, rankings, and people against the AI as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from anomalyos.arena.rules import Call
from anomalyos.arena.standings import Standing, Tally
from anomalyos.arena.tables import ArenaCall
from console.container import Services
from console.pages.arena.starter import Starter
from console.security.person import Person
from console.services.arena import Play, is_daily
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

_MOST_BARS = 8


def draw_standings(title: str, rows: list[Standing], me: Person, empty: str, *, rounds: bool = False) -> None:
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


def draw_summary(play: Play, rows: list[Standing], me: Person, services: Services, shell: Frame) -> None:
    row = play.round
    with box("aos-page aos-arena-summary").mark("arena-summary"):
        Text(headline(row.right, row.ai_right), "h1", "aos-title")
        Text(_subtitle(play), "p", "aos-subtitle")
        with box("aos-arena-result"):
            _side("person", "You", row.right, play, "you")
            Text("against", classes="aos-muted")
            _side("memory", "The AI", row.ai_right, play, "ai")
            with box("aos-arena-sums"):
                _sum(f"{row.points:,}", "points")
                _sum(str(row.best_streak), "in a row at best")
        _draw_strip(play.calls)
        place = box("aos-arena-again")
        starter = Starter(services, shell, place, lambda: _draw_ways(play, starter))
        with place:
            _draw_ways(play, starter)
        title = "Today's challenge" if is_daily(row) else "All time"
        if row.day is not None:
            title = f"Challenge of {wording.short_day(row.day)}"
        draw_standings(title, rows, me, "Nobody has finished it yet.", rounds=not is_daily(row))


def headline(mine: int, its: int) -> str:
    if mine > its:
        return "You beat the AI"
    return "A draw with the AI" if mine == its else "The AI was better this time"


def _subtitle(play: Play) -> str:
    kind = "Daily challenge" if is_daily(play.round) else "Free round"
    product = wording.product(play.round.category) if play.round.category else "all products"
    return f"{kind}, {product}"


def _side(icon_name: str, name: str, right: int, play: Play, who: str) -> None:
    with box(f"aos-arena-side {who}"):
        kit.icon(icon_name)
        Text(f"{right}/{len(play.calls)}", "b").mark(f"arena-{who}")
        Text(name)


def _sum(value: str, word: str) -> None:
    with box("aos-arena-figure"):
        Text(value, "b")
        Text(word)


def _draw_ways(play: Play, starter: Starter) -> None:
    async def again() -> None:
        await starter.free(play.round.category)

    kit.button("Play again", again, icon_name="replay", classes="primary").mark("arena-again")
    kit.link("Back to the Arena", "/arena", "aos-button")


def _draw_strip(calls: Sequence[ArenaCall]) -> None:
    with box("aos-arena-strip", "ol").props("aria-label='The pictures of this round'"):
        for call in calls:
            with box("", "li"):
                _draw_card(call)


def _draw_card(call: ArenaCall) -> None:
    truth = "Defect" if call.defective else "Normal part"
    if call.shown_at is None:
        with box("aos-thumb"):
            kit.icon("visibility_off")
        Text("Not shown", "div", "aos-muted aos-small")
        return
    kit.image(
        f"/arena/thumb/{call.token}",
        f"Picture {call.place + 1}, {truth.lower()}",
        "aos-thumb",
        loading="lazy",
    )
    Text(truth, "div", "truth")
    _verdict("You", call.right, silent=call.said == Call.NONE)
    _verdict("AI", call.ai_defective == call.defective)


def _verdict(who: str, right: bool, *, silent: bool = False) -> None:
    tone, name = ("normal", "check") if right else ("defect", "timer_off" if silent else "close")
    word = "right" if right else "no answer" if silent else "wrong"
    kit.icon_line(name, f"{who} {word}", f"mark tone-{tone}")
