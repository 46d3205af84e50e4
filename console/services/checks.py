"""What the console asks and does about data checks and the images they set aside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.images.decoding import read_image, thumbnail_jpeg
from anomalyos.inspection import batches
from anomalyos.inspection.tables import Inspection
from anomalyos.products.dataset import valid_category_name
from anomalyos.quality import data_checks, quarantine
from anomalyos.quality.tables import DataCheck, QuarantinedImage
from console.security.person import Actor, require
from console.services.pictures import Encoded

SHOWN = 30
"""Findings of one check on a page; its own page has them all."""
PAGE = 50
_THUMB_SIDE = 192


@dataclass(frozen=True)
class CheckView:
    """One check with what its findings lead to."""

    row: DataCheck
    stops: bool
    """Whether it holds its batch back now."""
    inspections: dict[str, int] = field(default_factory=dict)
    """Inspection that has a picture, by the finding's file."""

    @property
    def findings(self) -> list[dict[str, Any]]:
        return self.row.findings[:SHOWN]


@dataclass(frozen=True)
class ProductChecks:
    """A product's training images: the newest check, and a page of what was set aside."""

    name: str
    check: CheckView
    images: list[QuarantinedImage]
    total: int
    offset: int


class CheckService:
    """Blocking, safe to call from threads; every action checks the actor's role."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store

    # reading -----------------------------------------------------------------------------------

    def night(self, batch_key: str) -> list[CheckView]:
        """The newest check of each product of a night."""
        with self.store.session(read_only=True) as session:
            rows = data_checks.of_batch(session, batch_key)
            return [_view(session, row) for row in rows]

    def products(self) -> list[tuple[str, DataCheck, int]]:
        """Products whose training images were checked: name, newest check, how many images are out."""
        with self.store.session(read_only=True) as session:
            out = quarantine.out_by_category(session)
            return [
                (row.category, row, out.get(row.category, 0)) for row in data_checks.of_batch(session, "")
            ]

    def product(self, name: str, offset: int = 0) -> ProductChecks:
        """Raises ``NotFound`` when the product's images were never checked."""
        with self.store.session(read_only=True) as session:
            row = data_checks.newest(session, name)
            if row is None:
                raise NotFound(f"The images of {name!r} were not checked yet.", "The next rebuild does.")
            total = quarantine.count(session, name, states=_LISTED)
            start = max(0, min(offset, total - 1)) // PAGE * PAGE if total else 0
            images = quarantine.listed(session, name, states=_LISTED, limit=PAGE, offset=start)
            return ProductChecks(name, CheckView(row, data_checks.stops(row)), list(images), total, start)

    def page(self, check_id: int) -> bytes:
        """The check's own page. Raises ``NotFound`` when there is none."""
        with self.store.session(read_only=True) as session:
            row = data_checks.get(session, check_id)
        if not row.page_path:
            raise NotFound(
                f"The data check {check_id} has no page.", "It could not be made; its reason says why."
            )
        return self.store.objects.read(row.page_path)

    def picture(self, image_id: int) -> Encoded:
        """A small JPEG of an image that was set aside, as long as the file is still the one that was.

        Raises:
            NotFound: there is no such row, or no such file any more, or it cannot be decoded.
        """
        with self.store.session(read_only=True) as session:
            row = quarantine.get(session, image_id)
        root = (self.settings.data_dir / valid_category_name(row.category)).resolve()
        path = (root / row.file).resolve()
        if not path.is_relative_to(root):
            raise NotFound(f"{row.file} is not a file of {row.category}.")
        try:
            image = read_image(path, self.settings)
        except AnomalyOSError as error:
            raise NotFound(f"{row.file} cannot be shown: {error.message}") from error
        if image.sha256 != row.sha256:
            raise NotFound(f"{row.file} was replaced since.")
        return thumbnail_jpeg(image.rgb, _THUMB_SIDE), "image/jpeg"

    # deciding ----------------------------------------------------------------------------------

    def release(self, actor: Actor, image_id: int, note: str) -> QuarantinedImage:
        """Let the next rebuild learn from an image; raises as ``quarantine.release``, and NotAllowed."""
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            return quarantine.release(session, image_id, actor=actor.name, note=note)

    def keep_out(self, actor: Actor, image_id: int, note: str) -> QuarantinedImage:
        """Keep an image out for good; raises as ``quarantine.keep_out``, and NotAllowed."""
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            return quarantine.keep_out(session, image_id, actor=actor.name, note=note)

    def let_go_on(self, actor: Actor, check_id: int, note: str) -> DataCheck:
        """Let a stopped batch go on; raises as ``data_checks.let_go_on``, and NotAllowed."""
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            return data_checks.let_go_on(session, check_id, actor=actor.name, note=note)


_LISTED = ("held", "kept_out", "released")


def _view(session: Session, row: DataCheck) -> CheckView:
    day = batches.by_key(session, row.batch_key).day
    sources = {f"{day}/{found['file']}": str(found["file"]) for found in row.findings[:SHOWN]}
    query = select(Inspection.source, Inspection.id).where(
        col(Inspection.source).in_(sources), col(Inspection.image_id).is_not(None)
    )
    known = {sources[source]: number for source, number in session.exec(query) if number is not None}
    return CheckView(row, data_checks.stops(row), known)
