"""The Arena's first page: today's challenge, a free round, how people do against the AI."""

from __future__ import annotations

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.arena import difficulty, rules
from anomalyos.arena.drawing import enough
from console.components.visitor import reauthorize
from console.container import Services
from console.pages.arena import summary
from console.pages.arena.starter import Starter
from console.services.arena import Lobby
from console.services.blocking import run_blocking
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

ALL = "All products"


class LobbyView:
    def __init__(self, services: Services, shell: Frame, lobby: Lobby) -> None:
        self._services = services
        self._arena = services.arena
        self._shell = shell
        self._lobby = lobby
        with box("aos-page aos-arena-lobby"):
            with box("aos-arena-lead"):
                with box():
                    Text("Arena", "h1", "aos-title")
                    Text(
                        f"You against the AI: {rules.PICTURES} pictures, {rules.SECONDS:.0f} seconds each."
                        " Is it normal, or is it a defect, and where?",
                        "p",
                        "aos-subtitle",
                    )
                if lobby.of_all_time:
                    self._draw_form()
            self._place = box("aos-arena-doors")
            self._starter = Starter(services, shell, self._place, self._draw_doors)
            with self._place:
                self._draw_doors()
            self._draw_figures()

    # ways in ---------------------------------------------------------------------------------

    def _draw_doors(self) -> None:
        lobby = self._lobby
        if lobby.open_round is not None:
            self._draw_open()
        elif not lobby.playable and not rules_met(lobby):
            draw_nothing(lobby)
        else:
            self._draw_daily()
            self._draw_free()
            _draw_rules()

    def _draw_open(self) -> None:
        row = self._lobby.open_round
        assert row is not None
        with box("aos-card aos-arena-door wide").mark("arena-open"):
            kit.icon("hourglass_top", "door-icon")
            with box("grow"):
                Text("You have a round going", "h2")
                Text(
                    f"{self._lobby.open_call} of {rules.PICTURES} pictures are answered. The clock of a"
                    " picture on show goes on while you are away.",
                    "p",
                )
            kit.button("End it", self._end, classes="quiet").mark("arena-end")
            kit.link("Go on", f"/arena/round/{row.token}", "aos-button primary").mark("arena-continue")

    async def _end(self) -> None:
        person = await reauthorize(self._services, self._shell, Role.VIEWER)
        row = self._lobby.open_round
        if person is None or row is None:
            return
        await run_blocking(self._arena.give_up, person, row.token)
        self._lobby = await run_blocking(self._arena.lobby, person)
        with kit.redrawn(self._place):
            self._draw_doors()

    def _draw_daily(self) -> None:
        played = self._lobby.daily
        with box("aos-card aos-arena-door").mark("arena-daily"):
            kit.icon("event", "door-icon")
            Text("Daily challenge", "h2")
            if played is None:
                Text("The same ten pictures for everybody, once a day.", "p")
                kit.button("Play today's", self._starter.daily, classes="primary").mark("play-daily")
                return
            Text(
                f"Played: you {played.right}, the AI {played.ai_right}, {played.points:,} points."
                " There is a new one tomorrow.",
                "p",
            )
            kit.link("See the result", f"/arena/round/{played.token}", "aos-button")

    def _draw_free(self) -> None:
        playable = [supply.category for supply in self._lobby.playable]
        options = {"": ALL, **{name: wording.product(name) for name in playable}}
        with box("aos-card aos-arena-door").mark("arena-free"):
            kit.icon("swords", "door-icon")
            Text("A round at your level", "h2")
            Text(
                f"Now {difficulty.level_in_words(self._lobby.level)}. It gets harder as you get better.", "p"
            )
            with box("aos-arena-start"):
                choice = ui.select(options, value="").props("outlined dense options-dense aria-label=Product")
                choice.mark("arena-category")
                kit.button(
                    "Play", lambda: self._starter.free(str(choice.value or "")), classes="primary"
                ).mark("play-free")

    # figures ---------------------------------------------------------------------------------

    def _draw_form(self) -> None:
        lobby = self._lobby
        with box("aos-arena-form"):
            _figure("local_fire_department", str(lobby.days_in_a_row), "challenges in a row")
            _figure("bolt", str(lobby.best_streak), "best streak")
            _figure("trending_up", difficulty.level_in_words(lobby.level).capitalize(), "your level")

    def _draw_figures(self) -> None:
        lobby, me = self._lobby, self._shell.person
        if not lobby.of_all_time:
            return
        with box("aos-arena-boards"):
            summary.draw_standings("Today's challenge", lobby.of_day, me, "Nobody has played it yet.")
            summary.draw_standings("All time", lobby.of_all_time, me, "", rounds=True)
        summary.draw_duel(lobby.tallies)


def _draw_rules() -> None:
    """The formula of ``anomalyos.arena.rules`` in one line."""
    with box("aos-arena-rules", "dl"):
        for word, value in (
            ("A right call", f"{rules.RIGHT} points"),
            ("Fast", f"up to {rules.SPEED}"),
            ("Well placed", f"up to {rules.PLACE}"),
            ("In a row", f"up to {rules.STREAK_MOST}"),
            ("Better than the AI", f"{rules.BEAT}"),
        ):
            with box():
                Text(word, "dt")
                Text(value, "dd")


def rules_met(lobby: Lobby) -> bool:
    """Whether all products together can fill a round although none can alone."""
    return enough(
        sum(supply.defective for supply in lobby.supplies), sum(supply.normal for supply in lobby.supplies)
    )


def draw_nothing(lobby: Lobby) -> None:
    """Why nobody can play yet, and what comes next."""
    if not lobby.supplies:
        kit.empty_state(
            "model_training",
            "No product has a model yet",
            "The AI has to learn a product first: anomalyos rebuild CATEGORY. Then come back.",
        )
        return
    flawed = sum(supply.defective for supply in lobby.supplies)
    normal = sum(supply.normal for supply in lobby.supplies)
    kit.empty_state(
        "photo_library",
        "Too few labelled pictures",
        f"A round needs ten pictures whose truth is known, at least three of each kind. There are"
        f" {wording.plural(flawed, 'defect')} and {wording.plural(normal, 'normal part')}. Put labelled"
        " images into test/good and test/DEFECT of a product, or decide more flagged items.",
    )


def _figure(icon_name: str, value: str, word: str) -> None:
    with box("aos-arena-figure"):
        kit.icon(icon_name)
        Text(value, "b")
        Text(word)
