"""Rounds of the Arena: starting one, showing a picture, taking the one answer that counts."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from anomalyos.arena import rules
from anomalyos.arena.rules import Call, Points
from anomalyos.arena.tables import ArenaCall, ArenaChallenge, ArenaMaterial, ArenaRound, RoundKind
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.db.columns import utc_now
from anomalyos.db.rows import get_or_create, stored_id


def start_round(
    session: Session,
    *,
    user_id: int,
    material: Sequence[ArenaMaterial],
    level: float,
    seed: str,
    category: str = "",
    day: str | None = None,
) -> ArenaRound:
    """A new round over ``material`` in its order; nothing is shown yet.

    Args:
        day: ISO date of the daily challenge, None for a free round.

    Raises:
        Conflict: the person has played this day's challenge, or has begun it.
    """
    row = ArenaRound(
        token=new_token(),
        user_id=user_id,
        kind=RoundKind.FREE.value if day is None else RoundKind.DAILY.value,
        day=day,
        category=category,
        level=level,
        seed=seed,
    )
    if day is None:
        session.add(row)
        session.flush()
    elif not get_or_create(session, row, lambda: daily_round(session, user_id, day))[1]:
        raise Conflict("You have played today's challenge.", "There is a new one tomorrow.")
    session.add_all(
        ArenaCall(
            round_id=stored_id(row.id),
            place=place,
            material_id=stored_id(item.id),
            token=new_token(),
            category=item.category,
            defective=item.defective,
            ai_defective=item.ai_defective,
        )
        for place, item in enumerate(material)
    )
    session.flush()
    return row


def new_token() -> str:
    """128 random bits: it tells nothing and cannot be guessed."""
    return secrets.token_urlsafe(16)


def daily_round(session: Session, user_id: int, day: str) -> ArenaRound | None:
    query = select(ArenaRound).where(ArenaRound.user_id == user_id, ArenaRound.day == day)
    return session.exec(query).one_or_none()


def unfinished_round(session: Session, user_id: int) -> ArenaRound | None:
    """The newest round the person has not ended."""
    query = (
        select(ArenaRound)
        .where(ArenaRound.user_id == user_id, col(ArenaRound.finished_at).is_(None))
        .order_by(col(ArenaRound.id).desc())
        .limit(1)
    )
    return session.exec(query).one_or_none()


def own_round(session: Session, token: str, user_id: int) -> ArenaRound:
    """Raises ``NotFound``, for somebody else's round too: nobody learns that it exists."""
    query = select(ArenaRound).where(ArenaRound.token == token, ArenaRound.user_id == user_id)
    row = session.exec(query).one_or_none()
    if row is None:
        raise NotFound("There is no such round.", "Start one in the Arena.")
    return row


def calls(session: Session, round_id: int) -> Sequence[ArenaCall]:
    """The ten calls in their order."""
    query = select(ArenaCall).where(ArenaCall.round_id == round_id).order_by(col(ArenaCall.place))
    return session.exec(query).all()


def material_of(session: Session, call: ArenaCall) -> ArenaMaterial:
    return session.get_one(ArenaMaterial, call.material_id)


def own_call(session: Session, token: str, user_id: int) -> tuple[ArenaCall, ArenaMaterial]:
    """The call with this picture token, once it has been shown to its player.

    Raises:
        NotFound: no such call, somebody else's, or not shown yet.
    """
    query = (
        select(ArenaCall, ArenaMaterial)
        .join(ArenaRound, col(ArenaRound.id) == col(ArenaCall.round_id))
        .join(ArenaMaterial, col(ArenaMaterial.id) == col(ArenaCall.material_id))
        .where(ArenaCall.token == token, ArenaRound.user_id == user_id)
    )
    found = session.exec(query).one_or_none()
    if found is None or found[0].shown_at is None:
        raise NotFound("There is no such picture.")
    return found[0], found[1]


def show_next(session: Session, round_id: int, now: datetime | None = None) -> ArenaCall | None:
    """The call that waits for an answer; the next one's clock starts when none does. None at the end."""
    rows = calls(session, round_id)
    waiting = next((row for row in rows if row.answered_at is None), None)
    if waiting is None or waiting.shown_at is not None:
        return waiting
    session.connection().execute(
        update(ArenaCall)
        .where(col(ArenaCall.id) == waiting.id, col(ArenaCall.shown_at).is_(None))
        .values(shown_at=now or utc_now())
    )
    session.refresh(waiting)
    return waiting


def answer(
    session: Session,
    call_id: int,
    said: Call,
    *,
    mark: tuple[float, float] | None = None,
    distance: float | None = None,
    now: datetime | None = None,
) -> ArenaCall:
    """Take the answer of a shown call, on the server's clock. The last one ends the round.

    Args:
        said: ``Call.NONE`` closes a call whose time is over.
        mark: where the person pointed, in shares of the picture.
        distance: of the mark from the defect, see ``anomalyos.arena.placement``.

    Raises:
        NotFound: no such call.
        Conflict: it was answered already, or has not been shown.
    """
    now = now or utc_now()
    call = session.get(ArenaCall, call_id)
    if call is None:
        raise NotFound("There is no such picture.")
    if call.shown_at is None:
        raise Conflict("This picture has not been shown yet.")
    seconds = (now - call.shown_at).total_seconds()
    if rules.too_late(seconds):
        said = Call.NONE
    if said is not Call.DEFECT:
        mark = distance = None
    before = [row.right for row in calls(session, call.round_id) if row.place < call.place]
    earned = rules.points(
        said=said,
        defective=call.defective,
        ai_right=call.ai_defective == call.defective,
        seconds=seconds,
        distance=distance,
        streak=rules.closing_streak(before),
    )
    _write(session, call, said, mark, distance, earned, now)
    _finish_when_done(session, call.round_id, now)
    return call


def _write(
    session: Session,
    call: ArenaCall,
    said: Call,
    mark: tuple[float, float] | None,
    distance: float | None,
    earned: Points,
    now: datetime,
) -> None:
    """The one statement that decides which of two answers counts."""
    changed = session.connection().execute(
        update(ArenaCall)
        .where(col(ArenaCall.id) == call.id, col(ArenaCall.answered_at).is_(None))
        .values(
            answered_at=now,
            said=said.value,
            mark_x=mark[0] if mark else None,
            mark_y=mark[1] if mark else None,
            distance=distance,
            right=earned.right > 0,
            points=earned.total,
            parts=earned.as_dict(),
        )
    )
    session.refresh(call)
    if changed.rowcount != 1:
        raise Conflict("This picture was answered already.", "Only the first answer counts.")


def give_up(session: Session, round_id: int, now: datetime | None = None) -> None:
    """End a round now: a picture on show counts as not answered, those behind it are never shown."""
    now = now or utc_now()
    session.connection().execute(
        update(ArenaCall)
        .where(col(ArenaCall.round_id) == round_id, col(ArenaCall.answered_at).is_(None))
        .values(answered_at=now)
    )
    _finish_when_done(session, round_id, now)


def _finish_when_done(session: Session, round_id: int, now: datetime) -> None:
    session.expire_all()
    rows = calls(session, round_id)
    if any(row.answered_at is None for row in rows):
        return
    shown = [row for row in rows if row.shown_at is not None]
    session.connection().execute(
        update(ArenaRound)
        .where(col(ArenaRound.id) == round_id, col(ArenaRound.finished_at).is_(None))
        .values(
            finished_at=now,
            points=sum(row.points for row in rows),
            right=sum(row.right for row in rows),
            ai_right=sum(row.ai_defective == row.defective for row in shown),
            best_streak=rules.longest_streak(row.right for row in rows),
        )
    )
    session.expire_all()


def challenge(session: Session, day: str) -> ArenaChallenge | None:
    return session.get(ArenaChallenge, day)


def keep_challenge(session: Session, row: ArenaChallenge) -> ArenaChallenge:
    """Store the day's challenge; who comes second gets the one that is there."""
    return get_or_create(session, row, lambda: challenge(session, row.day))[0]
