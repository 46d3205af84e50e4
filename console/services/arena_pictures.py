"""Pictures of the Arena, by random tokens: the photograph once it is on show, the answers once it is over.

What a player may not see yet is not found, exactly like what does not exist.
"""

from __future__ import annotations

from anomalyos.arena.tables import ArenaMaterial
from anomalyos.arena.truth import outline
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.images.decoding import DecodedImage, decode_image, encode_png, thumbnail_jpeg
from anomalyos.inspection.anomaly_map import render_heatmap
from anomalyos.inspection.tables import Inspection
from console.security.person import Person
from console.services.arena import ArenaService
from console.services.pictures import Encoded, whole

_LONG_SIDE = 1600
_THUMB_SIDE = 192


class ArenaPictures:
    """Blocking, safe to call from threads; everything raises ``NotFound`` for what is not to be seen."""

    def __init__(self, settings: Settings, store: Store, arena: ArenaService) -> None:
        self._settings = settings
        self._store = store
        self._arena = arena

    def photo(self, person: Person, token: str) -> Encoded:
        """Encoded anew from its pixels: neither name nor metadata tells where it came from."""
        return whole(self._decoded(self._arena.shown(person, token)), most=_LONG_SIDE)

    def thumb(self, person: Person, token: str) -> Encoded:
        rgb = self._decoded(self._arena.shown(person, token)).rgb
        return thumbnail_jpeg(rgb, _THUMB_SIDE), "image/jpeg"

    def heat(self, person: Person, token: str) -> Encoded:
        material = self._arena.revealed(person, token)
        kept = Inspection(
            work_key="",
            batch_id=0,
            source="",
            content_sha256=material.content_sha256,
            verdict="",
            map_path=material.map_path,
            map_facts=material.map_facts,
        )
        return render_heatmap(self._store, kept), "image/png"

    def truth(self, person: Person, token: str) -> Encoded:
        mask = self._arena.truth_mask(self._arena.revealed(person, token))
        return encode_png(outline(mask)), "image/png"

    def _decoded(self, material: ArenaMaterial) -> DecodedImage:
        return decode_image(self._store.objects.read(material.object_path), self._settings)
