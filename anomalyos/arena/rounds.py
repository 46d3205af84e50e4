"""Making rounds of the Arena: free ones at a person's level, and the challenge of the day for everybody."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, select

from anomalyos.arena import difficulty, drawing
from anomalyos.arena import material_rows as arena_material
from anomalyos.arena import repository as arena
from anomalyos.arena import standings as arena_standings
from anomalyos.arena.drawing import Known
from anomalyos.arena.material import Candidate, Examiner, Gallery, candidates
from anomalyos.arena.rules import PICTURES
from anomalyos.arena.tables import ArenaChallenge, ArenaMaterial, ArenaRound
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.columns import utc_now
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.models.tables import Category, ModelVersion

REVIEWED_DAYS = 30
"""Pictures reviewed within so many days would be remembered."""
DAILY_LEVEL = 0.5
SHORTLIST = 20
"""Defects, and normal parts, the final draw chooses from at most: those least seen, so few are met again."""
COMFORTABLE = 12
"""With fewer of a kind known, the AI looks at new ones until there are so many."""
FRESH = 2
"""New ones of a kind the AI looks at in every round, so that the stock grows."""


class TooFewPictures(AnomalyOSError):
    """There are not enough labelled pictures for a round."""


@dataclass(frozen=True)
class Supply:
    """What one product has to offer."""

    category: str
    synthetic: bool
    defective: int
    normal: int

    @property
    def enough(self) -> bool:
        return drawing.enough(self.defective, self.normal)


class RoundMaker:
    """Draws rounds. Its methods block while the AI looks at new pictures: never call them on a loop."""

    def __init__(self, settings: Settings, store: Store, examiner: Callable[[], Examiner]) -> None:
        self._settings = settings
        self._store = store
        self._gallery = Gallery(settings, store, examiner)

    def supplies(self) -> list[Supply]:
        """The products with a model and what labelled pictures they have, by name."""
        champions = self._champions()
        counts = Counter(
            (item.category, item.defective) for item in candidates(self._settings, self._store, champions)
        )
        with self._store.session(read_only=True) as session:
            query = select(Category).where(col(Category.name).in_(list(champions)))
            made = {row.name: row.synthetic for row in session.exec(query).all()}
        return [
            Supply(name, made.get(name, False), counts[name, True], counts[name, False])
            for name in sorted(champions)
        ]

    def free_round(
        self, user_id: int, name: str, category: str = "", progress: Progress | None = None
    ) -> ArenaRound:
        """A round at the person's level, without what they reviewed lately.

        Args:
            category: only this one; empty for all.

        Raises:
            Conflict: the person has a round that is not ended.
            TooFewPictures: naming what is missing.
        """
        with self._store.session(read_only=True) as session:
            if arena.unfinished_round(session, user_id) is not None:
                raise Conflict("You have a round that is not ended.", "Go on with it, or end it.")
            level = difficulty.level(arena_standings.outcomes(session, user_id))
            since = utc_now() - timedelta(days=REVIEWED_DAYS)
            unwanted = arena_material.reviewed(session, since, name)
            met = arena_material.met(session, user_id)
        seed = secrets.token_hex(16)
        chosen = self._draw(category, level, seed, unwanted, met, progress)
        with self._store.session() as session:
            return arena.start_round(
                session, user_id=user_id, material=chosen, level=level, seed=seed, category=category
            )

    def daily_round(self, user_id: int, day: str, progress: Progress | None = None) -> ArenaRound:
        """The person's round of the day's challenge, which whoever comes first draws for everybody.

        Pictures anybody reviewed in the last ``REVIEWED_DAYS`` are left out, so nobody has an advantage.

        Raises:
            Conflict: the person has begun or played it.
            TooFewPictures: naming what is missing.
        """
        with self._store.session(read_only=True) as session:
            if arena.daily_round(session, user_id, day) is not None:
                raise Conflict("You have played today's challenge.", "There is a new one tomorrow.")
            challenge = arena.challenge(session, day)
            unwanted = arena_material.reviewed(session, utc_now() - timedelta(days=REVIEWED_DAYS))
        if challenge is None:
            seed = daily_seed(day, [version.bundle_sha256 for version in self._champions().values()])
            chosen = self._draw("", DAILY_LEVEL, seed, unwanted, {}, progress)
            drawn = ArenaChallenge(
                day=day, seed=seed, level=DAILY_LEVEL, material_ids=[stored_id(item.id) for item in chosen]
            )
            with self._store.session() as session:
                challenge = arena.keep_challenge(session, drawn)
        with self._store.session() as session:
            return arena.start_round(
                session,
                user_id=user_id,
                material=arena_material.by_ids(session, challenge.material_ids),
                level=challenge.level,
                seed=challenge.seed,
                day=day,
            )

    def _draw(
        self,
        category: str,
        level: float,
        seed: str,
        unwanted: set[str],
        met: dict[str, int],
        progress: Progress | None,
    ) -> list[ArenaMaterial]:
        champions = self._champions()
        if category:
            champions = {name: version for name, version in champions.items() if name == category}
        pool = self._shortlist(champions, seed, unwanted, met, progress)
        flawed = sum(item.defective for item in pool)
        if not drawing.enough(flawed, len(pool) - flawed):
            raise TooFewPictures(
                f"There are {flawed} defects and {len(pool) - flawed} normal parts you have not reviewed"
                f" lately; a round needs {PICTURES}, and {drawing.FEWEST_OF_A_KIND} of each.",
                "Import labelled test images, or choose all products.",
            )
        by_id = {stored_id(item.id): item for item in pool}
        known = [
            Known(key, item.defective, difficulty.hardness(item.score, item.threshold))
            for key, item in by_id.items()
        ]
        return [by_id[key] for key in drawing.draw(known, level, seed)]

    def _shortlist(
        self,
        champions: dict[str, ModelVersion],
        seed: str,
        unwanted: set[str],
        met: dict[str, int],
        progress: Progress | None,
    ) -> list[ArenaMaterial]:
        """Pictures the AI has answered: those known from before, and a few it looks at now."""
        versions = {stored_id(version.id) for version in champions.values()}
        with self._store.session(read_only=True) as session:
            rows = arena_material.known(session, versions)
        known = {(row.source, row.model_version_id): row for row in rows}

        def kept(item: Candidate) -> ArenaMaterial | None:
            row = known.get((item.source, stored_id(champions[item.category].id)))
            fits = row is not None and row.stamp == item.stamp and row.defective == item.defective
            return row if fits else None

        def seen(item: Candidate) -> int:
            row = kept(item)
            return met.get(row.content_sha256, 0) if row is not None else 0

        listed = candidates(self._settings, self._store, champions)
        order = drawing.shuffled(
            listed, seed, name=lambda item: item.source, group=lambda item: item.category, seen=seen
        )
        stock = Counter(item.defective for item in listed if kept(item) is not None)
        budget = {kind: max(FRESH, COMFORTABLE - stock[kind]) for kind in (True, False)}
        return self._fill(order, champions, unwanted, kept, budget, progress)

    def _fill(
        self,
        order: list[Candidate],
        champions: dict[str, ModelVersion],
        unwanted: set[str],
        kept: Callable[[Candidate], ArenaMaterial | None],
        budget: dict[bool, int],
        progress: Progress | None,
    ) -> list[ArenaMaterial]:
        lanes: dict[bool, dict[str, ArenaMaterial]] = {True: {}, False: {}}
        looks = sum(budget.values())
        for item in order:
            lane, row = lanes[item.defective], kept(item)
            if len(lane) >= SHORTLIST or (
                row is None and item.decided is None and not budget[item.defective]
            ):
                continue
            if row is None:
                row, fresh = self._gallery.open(item, champions[item.category], unwanted)
                budget[item.defective] -= fresh
                if fresh and progress is not None:
                    progress(looks - sum(budget.values()), looks)
            # the same picture may be in the data set and in a night: it counts once, by its stored label
            if row is not None and row.content_sha256 not in unwanted:
                lanes[row.defective].setdefault(row.content_sha256, row)
        return [*lanes[True].values(), *lanes[False].values()]

    def _champions(self) -> dict[str, ModelVersion]:
        query = select(Category.name, ModelVersion).join(
            ModelVersion, col(Category.champion_id) == col(ModelVersion.id)
        )
        with self._store.session(read_only=True) as session:
            return dict(session.exec(query).all())


def daily_seed(day: str, champions: list[str]) -> str:
    """The seed of a day under a set of champions, given by the digests of their bundles."""
    digest = hashlib.sha256("\n".join(sorted(champions)).encode()).hexdigest()
    return f"{day}-{digest[:32]}"
