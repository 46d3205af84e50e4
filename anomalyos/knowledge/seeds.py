"""What the project knows of defects before anybody taught it: ``include/knowledge/*.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.knowledge import bulk
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.grammar import MAX_WEIGHT, category_key, check_key, defect_key
from anomalyos.knowledge.tables import CauseEvidence, NodeKind, Relation

if TYPE_CHECKING:
    from sqlmodel import Session

ACTOR = "seed"
Words = Annotated[str, Field(min_length=1, max_length=1000)]
Some = Annotated[list[str], Field(min_length=1)]
Weight = Annotated[float, Field(gt=0, le=MAX_WEIGHT)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Strict):
    name: Words
    text: Words


class SeedCause(Named):
    steps: Some
    remedies: Some
    checks: Some


class SeedDefect(Named):
    severity: Literal["cosmetic", "functional", "critical"]
    signs: Some
    causes: Annotated[dict[str, Weight], Field(min_length=1)]
    """Cause to its prior's pseudo-count."""


class SeedCategory(Named):
    defects: Annotated[dict[str, SeedDefect], Field(min_length=1)]


class SeedFile(Strict):
    """One YAML file, or all of them together; every section may be absent."""

    categories: dict[str, SeedCategory] = Field(default_factory=dict)
    signs: dict[str, Named] = Field(default_factory=dict)
    causes: dict[str, SeedCause] = Field(default_factory=dict)
    steps: dict[str, Named] = Field(default_factory=dict)
    remedies: dict[str, Named] = Field(default_factory=dict)
    checks: dict[str, Named] = Field(default_factory=dict)


SECTIONS = tuple(SeedFile.model_fields)
_PLAIN = (
    ("signs", NodeKind.SIGN),
    ("causes", NodeKind.CAUSE),
    ("steps", NodeKind.STEP),
    ("remedies", NodeKind.REMEDY),
    ("checks", NodeKind.CHECK),
)


def ensure_seeded(store: Store, settings: Settings) -> dict[str, dict[str, int]]:
    """Bring the graph up to the seeds; a second run writes nothing.

    What a person edited, added or removed stays as it is. What left the seeds is removed unless standing
    evidence or a person's edge relies on it.

    Returns:
        ``nodes`` and ``edges``, each with added, updated, removed, kept and unchanged.

    Raises:
        AnomalyOSError: a seed file is broken; the message names the file and the place.
    """
    wanted = to_content(load_seeds(settings.include_dir / "knowledge"))
    with store.session() as session:
        return bulk.apply(
            session,
            wanted,
            origin=knowledge_repository.SEED,
            actor=ACTOR,
            reason="seed",
            keep=lambda: _relied_on(session),
        )


def load_seeds(folder: Path) -> SeedFile:
    """All files of the folder as one, every name in it resolved.

    Raises:
        NotFound: the folder holds no YAML file.
        AnomalyOSError: not valid YAML, not of the expected form, a name given twice, or one that names
            nothing.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise NotFound(
            f"There are no knowledge seeds in {folder}.", "Restore include/knowledge/*.yaml of the project."
        )
    merged: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    places: dict[tuple[str, str], Path] = {}
    for path in paths:
        seeds = read_file(path)
        for section in SECTIONS:
            for name, value in getattr(seeds, section).items():
                if name in merged[section]:
                    other = places[section, name].name
                    raise _broken(path, f"{section}.{name}", f"it stands in {other} already")
                merged[section][name] = value
                places[section, name] = path
    whole = SeedFile.model_construct(None, **merged)
    _check_names(whole, places)
    return whole


def read_file(path: Path) -> SeedFile:
    """One file, checked alone. Raises AnomalyOSError naming file and line, or file and key."""
    import yaml

    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_loader())  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}" if mark else "the file"
        raise _broken(path, place, error.problem or "not valid YAML") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _broken(path, "the file", str(error)) from error
    if not isinstance(document, dict):
        raise _broken(path, "the file", f"it needs some of the sections {', '.join(SECTIONS)}")
    try:
        return SeedFile.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise _broken(path, ".".join(str(part) for part in first["loc"]), first["msg"]) from error


def to_content(seeds: SeedFile) -> bulk.Content:
    """The seeds as nodes and edges."""
    content = bulk.Content()
    for section, kind in _PLAIN:
        for slug, item in getattr(seeds, section).items():
            content.nodes[f"{kind}:{slug}"] = _facts(item)
    for slug, cause in seeds.causes.items():
        key = f"cause:{slug}"
        for relation, target_kind, targets in (
            (Relation.ARISES_IN, NodeKind.STEP, cause.steps),
            (Relation.REMEDIED_BY, NodeKind.REMEDY, cause.remedies),
            (Relation.VERIFIED_BY, NodeKind.CHECK, cause.checks),
        ):
            content.edges.update({(key, str(relation), f"{target_kind}:{name}"): 1.0 for name in targets})
    for name, category in seeds.categories.items():
        content.nodes[category_key(name)] = _facts(category)
        for defect_type, defect in category.defects.items():
            key = defect_key(name, defect_type)
            content.nodes[key] = {**_facts(defect), "attributes": {"severity": defect.severity}}
            content.edges[category_key(name), str(Relation.HAS_DEFECT), key] = 1.0
            content.edges.update({(key, str(Relation.SHOWS), f"sign:{sign}"): 1.0 for sign in defect.signs})
            for cause_slug, weight in defect.causes.items():
                content.edges[key, str(Relation.CAUSED_BY), f"cause:{cause_slug}"] = weight
    return content


def _facts(item: Named) -> dict[str, Any]:
    return {"name": item.name, "text": item.text, "attributes": {}}


def _check_names(seeds: SeedFile, places: dict[tuple[str, str], Path]) -> None:
    """Every name must be fit for a key, and every reference must lead somewhere."""
    kinds = dict(_PLAIN)
    for section, kind in kinds.items():
        for slug in getattr(seeds, section):
            _check_form(places[section, slug], f"{section}.{slug}", f"{kind}:{slug}")
    for slug, cause in seeds.causes.items():
        for section in ("steps", "remedies", "checks"):
            _check_known(seeds, section, getattr(cause, section), places["causes", slug], f"causes.{slug}")
    for name, category in seeds.categories.items():
        path = places["categories", name]
        _check_form(path, f"categories.{name}", category_key(name))
        for defect_type, defect in category.defects.items():
            place = f"categories.{name}.defects.{defect_type}"
            _check_form(path, place, f"defect:{name}/{defect_type}")
            _check_known(seeds, "signs", defect.signs, path, place)
            _check_known(seeds, "causes", list(defect.causes), path, place)


def _check_form(path: Path, place: str, key: str) -> None:
    try:
        check_key(key)
    except AnomalyOSError as error:
        raise _broken(path, place, "the name may hold small letters, digits, '-' and '_' only") from error


def _check_known(seeds: SeedFile, section: str, names: list[str], path: Path, place: str) -> None:
    known = getattr(seeds, section)
    for name in names:
        if name not in known:
            raise _broken(path, f"{place}.{section}", f"{name!r} is not among the {section}")


def _broken(path: Path, place: str, what: str) -> AnomalyOSError:
    return AnomalyOSError(f"{path.name}, {place}: {what}.", "Correct the file and seed again.")


def _loader() -> Any:
    """The safe loader in C where PyYAML has it, refusing a key that stands twice in one mapping."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, _ in node.value:
                if not isinstance(key.value, str):
                    raise yaml.constructor.ConstructorError(
                        None, None, "a list or mapping cannot be a key", key.start_mark
                    )
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value!r} stands twice", key.start_mark
                    )
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    return Loader


def _relied_on(session: Session) -> set[str]:
    """Subjects that must outlive their seed: standing evidence and people's edges lean on them."""
    from sqlmodel import col, select

    subjects: set[str] = set()
    evidence = select(CauseEvidence.defect, CauseEvidence.cause).where(
        col(CauseEvidence.withdrawn_at).is_(None)
    )
    for defect, cause in session.exec(evidence.distinct()):
        subjects |= {knowledge_repository.node_subject(defect), knowledge_repository.node_subject(cause)}
        subjects.add(knowledge_repository.edge_subject(defect, Relation.CAUSED_BY, cause))
    for edge in knowledge_repository.all_edges(session):
        if edge.origin == knowledge_repository.PERSON and edge.removed_at is None:
            subjects |= {
                knowledge_repository.node_subject(edge.source),
                knowledge_repository.node_subject(edge.target),
            }
    return subjects
