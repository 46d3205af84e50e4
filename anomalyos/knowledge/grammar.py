"""What a well-formed graph looks like: how nodes are named, and which relation may join which kinds."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.knowledge.tables import NodeKind, Relation

ENDS: dict[str, tuple[str, str]] = {
    Relation.HAS_DEFECT: (NodeKind.CATEGORY, NodeKind.DEFECT),
    Relation.SHOWS: (NodeKind.DEFECT, NodeKind.SIGN),
    Relation.CAUSED_BY: (NodeKind.DEFECT, NodeKind.CAUSE),
    Relation.ARISES_IN: (NodeKind.CAUSE, NodeKind.STEP),
    Relation.REMEDIED_BY: (NodeKind.CAUSE, NodeKind.REMEDY),
    Relation.VERIFIED_BY: (NodeKind.CAUSE, NodeKind.CHECK),
}
"""Relation to the kinds of its source and its target."""
SEVERITIES = ("cosmetic", "functional", "critical")
MAX_ATTRIBUTES = 4000
"""Characters of a node's attributes as JSON."""
MAX_WEIGHT = 1000.0
"""Of a prior's pseudo-count: more would mean that no evidence ever changes anything."""

_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"
_BLANKS = re.compile(r"[\s-]+")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_FORMS = {
    NodeKind.CATEGORY: re.compile(_NAME),
    NodeKind.DEFECT: re.compile(rf"{_NAME}/{_NAME}"),
}


def category_key(category: str) -> str:
    return f"{NodeKind.CATEGORY}:{category}"


def defect_key(category: str, defect_type: str) -> str:
    """Key of a defect type; what a reviewer typed as ``Bent lead`` is ``bent_lead``."""
    return f"{NodeKind.DEFECT}:{category}/{_BLANKS.sub('_', defect_type.strip().lower())}"


def kind_of(key: str) -> str:
    """The part before the colon."""
    return key.partition(":")[0]


def category_of(defect: str) -> str:
    """Category name inside a defect's key."""
    return defect.partition(":")[2].partition("/")[0]


def check_key(key: str) -> str:
    """The kind of a well-formed key.

    Raises:
        AnomalyOSError: saying which form the key should have.
    """
    kind, _, rest = key.partition(":")
    if kind not in set(NodeKind) or not _FORMS.get(NodeKind(kind), _SLUG).fullmatch(rest):
        raise AnomalyOSError(
            f"{key!r} is not the key of a node.",
            "Write kind:name in small letters, for example cause:worn-cutting-tool, category:hazelnut "
            "or defect:hazelnut/crack.",
        )
    return kind


def check_edge(source: str, relation: str, target: str) -> None:
    """Raises AnomalyOSError when ``relation`` cannot join these two nodes."""
    if relation not in ENDS:
        raise AnomalyOSError(f"{relation!r} is not a relation.", f"Choose one of: {', '.join(ENDS)}.")
    wanted = ENDS[relation]
    if (check_key(source), check_key(target)) != wanted:
        raise AnomalyOSError(
            f"{source} cannot be joined to {target} by {relation}.",
            f"{relation} leads from a {wanted[0]} to a {wanted[1]}.",
        )
    if relation == Relation.HAS_DEFECT and source.partition(":")[2] != category_of(target):
        raise AnomalyOSError(
            f"{target} belongs to another category than {source}.", "A defect type has one category."
        )


def check_weight(weight: float) -> float:
    """Raises AnomalyOSError unless 0 < ``weight`` <= MAX_WEIGHT."""
    if not (math.isfinite(weight) and 0 < weight <= MAX_WEIGHT):
        raise AnomalyOSError(
            f"{weight} cannot be the weight of an edge.",
            f"Give a number above 0 and at most {MAX_WEIGHT:g}: the cases it stands for.",
        )
    return float(weight)


def check_attributes(kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """Raises AnomalyOSError when they are too much, no JSON, or a defect has no known severity."""
    severity = attributes.get("severity")
    if kind == NodeKind.DEFECT and severity not in SEVERITIES:
        raise AnomalyOSError(
            f"{severity!r} is not a severity.", f"A defect type is one of: {', '.join(SEVERITIES)}."
        )
    try:
        size = len(json.dumps(attributes, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise AnomalyOSError(f"The attributes cannot be stored: {error}.", "Use text and numbers.") from error
    if size > MAX_ATTRIBUTES:
        raise AnomalyOSError(f"The attributes are {size} characters long; {MAX_ATTRIBUTES} is the limit.")
    return attributes
