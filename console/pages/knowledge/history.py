"""Who changed what, when and why; and the way back to a version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from anomalyos.knowledge.grammar import kind_of
from anomalyos.knowledge.revision_lists import SEED_ACTOR
from anomalyos.knowledge.tables import KnowledgeRevision
from console.pages.knowledge import labels
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box

Revert = Callable[[KnowledgeRevision], Awaitable[None]]


def draw(
    revisions: Sequence[KnowledgeRevision],
    names: Mapping[str, str],
    *,
    revert: Revert | None = None,
    newest: Mapping[str, int] | None = None,
    link: bool = False,
) -> None:
    """Revisions as they come, each with what it changed.

    Args:
        names: of nodes by key, for edges to be told by.
        revert: brings a version back; None for people who may not.
        newest: subject to its newest version, which there is nothing to bring back of.
        link: whether each leads to its node.
    """
    with box("aos-kb-history", "ol"):
        for revision in revisions:
            with box("aos-kb-revision", "li"):
                kit.icon(_icon(revision))
                with box("what"):
                    with box("aos-kb-revision-top"):
                        subject = subject_words(revision.subject, names)
                        if link:
                            kit.link(subject, address_of(revision.subject), "aos-kb-link strong")
                        else:
                            Text(subject, classes="strong")
                        Text(f"version {revision.version}", classes="aos-muted aos-small")
                    for line in changes(revision):
                        Text(line, "p", "aos-small")
                    seeded = revision.actor == SEED_ACTOR
                    if revision.reason and not seeded:
                        Text(f"Why: {revision.reason}", "p", "aos-small aos-muted")
                    who = "Came with the project" if seeded else revision.actor
                    Text(f"{who}, {wording.moment(revision.created_at)}", "p", "aos-small aos-muted")
                if revert is not None and _can_return(revision, newest or {}):
                    _button(revision, revert)


def subject_words(subject: str, names: Mapping[str, str]) -> str:
    """``Crack`` for a node, ``Crack is caused by Too hot`` for an edge."""
    kind, _, rest = subject.partition(":")
    if kind == "node":
        return names.get(rest, rest)
    source, _, tail = rest.partition("|")
    relation, _, target = tail.partition("|")
    return f"{names.get(source, source)} {labels.SAYS.get(relation, relation)} {names.get(target, target)}"


def keys_of(subject: str) -> list[str]:
    """The nodes a subject speaks of."""
    kind, _, rest = subject.partition(":")
    parts = rest.split("|")
    return [rest] if kind == "node" else [parts[0], parts[-1]]


def address_of(subject: str) -> str:
    return links.node_page(keys_of(subject)[0])


def changes(revision: KnowledgeRevision) -> list[str]:
    """What a revision changed, a line for each field, in plain words."""
    before, after = revision.before, revision.after or {}
    if before is None:
        return ["Added."]
    lines = []
    if before.get("removed") != after.get("removed"):
        lines.append("Removed." if after.get("removed") else "Brought back.")
    for name, word in (("name", "Name"), ("text", "Text"), ("weight", "Weight")):
        if name in after and before.get(name) != after.get(name):
            lines.append(f"{word}: {_value(before.get(name))} → {_value(after.get(name))}")
    old, new = before.get("attributes") or {}, after.get("attributes") or {}
    lines += [
        f"{str(name).replace('_', ' ').capitalize()}: {_value(old.get(name))} → {_value(new.get(name))}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    return lines or ["Kept as it was."]


def _value(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    return (
        f"{value:g}" if isinstance(value, float) else f"“{value}”" if isinstance(value, str) else str(value)
    )


def _icon(revision: KnowledgeRevision) -> str:
    if revision.before is None:
        return "add_circle"
    if (revision.after or {}).get("removed"):
        return "delete"
    return "edit" if kind_of(revision.subject) == "node" else "linear_scale"


def _can_return(revision: KnowledgeRevision, newest: Mapping[str, int]) -> bool:
    removed = bool((revision.after or {}).get("removed"))
    return not removed and newest.get(revision.subject, revision.version) > revision.version


def _button(revision: KnowledgeRevision, revert: Revert) -> None:
    async def back() -> None:
        await revert(revision)

    kit.button(
        f"Back to version {revision.version}", back, icon_name="settings_backup_restore", classes="small"
    ).mark(f"revert-{revision.version}")
