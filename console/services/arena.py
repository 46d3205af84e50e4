"""What the Arena's pages ask: plain blocking methods that know who plays. Nothing is told before its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlmodel import Session

from anomalyos.arena import difficulty, placement, rules
from anomalyos.arena import repository as arena
from anomalyos.arena import standings as arena_standings
from anomalyos.arena.material import Examiner
from anomalyos.arena.rounds import RoundMaker, Supply
from anomalyos.arena.rules import Call
from anomalyos.arena.standings import Standing, Tally
from anomalyos.arena.tables import ArenaCall, ArenaMaterial, ArenaRound, RoundKind
from anomalyos.arena.truth import boxes_mask
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.columns import utc_now
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.images.decoding import decode_mask
from console.security.person import Person
from console.services.today import today

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

READY, QUESTION, REVEAL, SUMMARY = "ready", "question", "reveal", "summary"


@dataclass(frozen=True)
class Play:
    """One round as its player may see it now."""

    stage: str
    round: ArenaRound
    calls: Sequence[ArenaCall]
    call: ArenaCall | None = None
    """On show, or just answered."""
    material: ArenaMaterial | None = None
    seconds_left: float = 0.0

    @property
    def points(self) -> int:
        return sum(call.points for call in self.calls)

    @property
    def streak(self) -> int:
        """Right calls in a row up to now."""
        return rules.closing_streak(call.right for call in self.calls if call.answered_at is not None)

    @property
    def last(self) -> bool:
        return all(call.answered_at is not None for call in self.calls)


@dataclass(frozen=True)
class Lobby:
    """Everything the Arena's first page shows."""

    supplies: list[Supply]
    open_round: ArenaRound | None
    open_call: int
    """How many pictures of the open round were answered."""
    today: str
    daily: ArenaRound | None
    of_day: list[Standing]
    of_all_time: list[Standing]
    tallies: list[Tally]
    level: float
    days_in_a_row: int
    best_streak: int

    @property
    def playable(self) -> list[Supply]:
        return [supply for supply in self.supplies if supply.enough]


class ArenaService:
    """Rounds over one store; the AI looks at new pictures on a thread of its own."""

    def __init__(self, settings: Settings, store: Store, inspector: Callable[[], object]) -> None:
        self._settings = settings
        self._store = store
        self._maker = RoundMaker(settings, store, lambda: cast(Examiner, inspector()))
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="arena")

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)

    # the lobby -------------------------------------------------------------------------------

    def lobby(self, person: Person) -> Lobby:
        day = today()
        supplies = self._maker.supplies()
        with self._store.session(read_only=True) as session:
            waiting = arena.unfinished_round(session, person.user_id)
            answered = arena.calls(session, stored_id(waiting.id)) if waiting else []
            return Lobby(
                supplies=supplies,
                open_round=waiting,
                open_call=sum(call.answered_at is not None for call in answered),
                today=day,
                daily=arena.daily_round(session, person.user_id, day),
                of_day=arena_standings.of_day(session, day),
                of_all_time=arena_standings.of_all_time(session),
                tallies=arena_standings.by_category(session),
                level=difficulty.level(arena_standings.outcomes(session, person.user_id)),
                days_in_a_row=rules.days_in_a_row(arena_standings.days_played(session, person.user_id), day),
                best_streak=arena_standings.best_streak(session, person.user_id),
            )

    def new_round(self, person: Person, category: str, progress: Progress) -> ArenaRound:
        """Raises ``Conflict`` or ``TooFewPictures``; slow while the AI looks."""
        return self._maker.free_round(person.user_id, person.name, category, progress)

    def daily_round(self, person: Person, progress: Progress) -> ArenaRound:
        """Raises as ``new_round``; ``Conflict`` also when it was played."""
        return self._maker.daily_round(person.user_id, today(), progress)

    # one round -------------------------------------------------------------------------------

    def state(self, person: Person, token: str) -> Play:
        """Where the round stands; a picture whose time is over is closed first.

        Raises:
            NotFound: no round of this person.
        """
        with self._store.session(read_only=True) as session:
            play = self._play(arena.own_round(session, token, person.user_id), session)
        if play.stage == QUESTION and play.call is not None and _overdue(play.call):
            return self.answer(person, token, play.call.token, Call.NONE)
        return play

    def next(self, person: Person, token: str) -> Play:
        """Show the next picture, which starts its clock; the summary after the last."""
        with self._store.session() as session:
            row = arena.own_round(session, token, person.user_id)
            call = arena.show_next(session, stored_id(row.id))
            play = self._play(row, session, showing=call)
        return play

    def answer(
        self,
        person: Person,
        token: str,
        call_token: str,
        said: Call,
        mark: tuple[float, float] | None = None,
    ) -> Play:
        """Take an answer and reveal; of two answers the first one counts and both see it.

        Raises:
            NotFound: no such round or picture of this person, or it has not been shown.
        """
        with self._store.session(read_only=True) as session:
            call, material = arena.own_call(session, call_token, person.user_id)
        distance = self._distance(material, mark) if said is Call.DEFECT and mark else None
        with self._store.session() as session:
            row = arena.own_round(session, token, person.user_id)
            if call.round_id != row.id:
                raise NotFound("There is no such picture.")
            try:
                arena.answer(session, stored_id(call.id), said, mark=mark, distance=distance)
            except Conflict:
                # the first answer stands, and that is the one to reveal
                session.expire_all()
            row = arena.own_round(session, token, person.user_id)
            return self._play(row, session, revealing=stored_id(call.id))

    def give_up(self, person: Person, token: str) -> Play:
        with self._store.session() as session:
            row = arena.own_round(session, token, person.user_id)
            arena.give_up(session, stored_id(row.id))
            return self._play(arena.own_round(session, token, person.user_id), session)

    def day_standings(self, day: str) -> list[Standing]:
        with self._store.session(read_only=True) as session:
            return arena_standings.of_day(session, day)

    def all_time_standings(self) -> list[Standing]:
        with self._store.session(read_only=True) as session:
            return arena_standings.of_all_time(session)

    def _play(
        self,
        row: ArenaRound,
        session: Session,
        *,
        showing: ArenaCall | None = None,
        revealing: int | None = None,
    ) -> Play:
        calls = arena.calls(session, stored_id(row.id))
        call = showing or next((item for item in calls if item.id == revealing), None)
        if call is None:
            call = _current(row, calls)
        if call is None:
            return Play(SUMMARY if row.finished_at else READY, row, calls)
        stage = QUESTION if call.answered_at is None else REVEAL
        left = max(0.0, rules.SECONDS - _elapsed(call)) if stage == QUESTION else 0.0
        return Play(stage, row, calls, call, arena.material_of(session, call), left)

    def _distance(self, material: ArenaMaterial, mark: tuple[float, float]) -> float | None:
        if material.truth_path:
            return placement.distance_to_mask(self._mask(material), *mark)
        ratio = material.width / material.height
        return placement.distance_to_boxes(material.truth_boxes, *mark, ratio)

    # pictures --------------------------------------------------------------------------------

    def shown(self, person: Person, call_token: str) -> ArenaMaterial:
        """The picture of a call its player has been shown. Raises ``NotFound``."""
        with self._store.session(read_only=True) as session:
            return arena.own_call(session, call_token, person.user_id)[1]

    def revealed(self, person: Person, call_token: str) -> ArenaMaterial:
        """As ``shown``, once the call was answered. Raises ``NotFound`` before."""
        with self._store.session(read_only=True) as session:
            call, material = arena.own_call(session, call_token, person.user_id)
        if call.answered_at is None:
            raise NotFound("There is no such picture.")
        return material

    def truth_mask(self, material: ArenaMaterial) -> NDArray[np.bool_]:
        """(H, W) bool of where the defect is. Raises ``NotFound`` when nobody knows."""
        if material.truth_path:
            return self._mask(material)
        if material.truth_boxes:
            return boxes_mask(material.truth_boxes, material.width, material.height)
        raise NotFound("There is no such picture.")

    def _mask(self, material: ArenaMaterial) -> NDArray[np.bool_]:
        return decode_mask(self._store.objects.absolute(material.truth_path), self._settings)


def is_daily(row: ArenaRound) -> bool:
    return row.kind == RoundKind.DAILY


def place_known(material: ArenaMaterial) -> bool:
    return bool(material.truth_path or material.truth_boxes)


def _current(row: ArenaRound, calls: Sequence[ArenaCall]) -> ArenaCall | None:
    """The call on show, or the one answered last; None before the first and after the end."""
    if row.finished_at is not None:
        return None
    shown = [call for call in calls if call.shown_at is not None]
    return shown[-1] if shown else None


def _elapsed(call: ArenaCall) -> float:
    return (utc_now() - call.shown_at).total_seconds() if call.shown_at else 0.0


def _overdue(call: ArenaCall) -> bool:
    return call.shown_at is not None and utc_now() - call.shown_at > timedelta(
        seconds=rules.SECONDS + rules.GRACE
    )
