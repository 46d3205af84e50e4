from __future__ import annotations

from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.knowledge.bulk import Content
from anomalyos.knowledge.grammar import SEVERITIES, check_edge, check_key
from anomalyos.knowledge.graph import KnowledgeGraph
from anomalyos.knowledge.seeds import load_seeds, read_file
from anomalyos.products.sample.catalogue import CATALOGUE
from tests.knowledge.knowledge_rows import SMALL_SEED, write_seed

MVTEC = {
    "bottle": "broken_large broken_small contamination",
    "cable": "bent_wire cable_swap combined cut_inner_insulation cut_outer_insulation missing_cable "
    "missing_wire poke_insulation",
    "capsule": "crack faulty_imprint poke scratch squeeze",
    "carpet": "color cut hole metal_contamination thread",
    "grid": "bent broken glue metal_contamination thread",
    "hazelnut": "crack cut hole print",
    "leather": "color cut fold glue poke",
    "metal_nut": "bent color flip scratch",
    "pill": "color combined contamination crack faulty_imprint pill_type scratch",
    "screw": "manipulated_front scratch_head scratch_neck thread_side thread_top",
    "tile": "crack glue_strip gray_stroke oil rough",
    "toothbrush": "defective",
    "transistor": "bent_lead cut_lead damaged_case misplaced",
    "wood": "color combined hole liquid scratch",
    "zipper": "broken_teeth combined fabric_border fabric_interior rough split_teeth squeezed_teeth",
}
OTHERS = {
    "magnetic_tile": "blowhole break crack fray uneven",
    "pcb": "defective open short mousebite spur spurious_copper pin_hole",
}


def test_every_category_and_defect_type_is_described(graph: KnowledgeGraph) -> None:
    expected = {name: set(types.split()) for name, types in (MVTEC | OTHERS).items()}
    expected |= {sample.name: set(sample.defects) for sample in CATALOGUE}
    assert sum(len(types.split()) for types in MVTEC.values()) == 73
    found = {
        node.key.partition(":")[2]: {
            key.partition("/")[2] for key in graph.defects(node.key.partition(":")[2])
        }
        for node in graph.nodes("category")
    }
    assert found == expected


def test_every_defect_has_signs_causes_and_a_severity(graph: KnowledgeGraph) -> None:
    for defect in graph.nodes("defect"):
        assert defect.attributes["severity"] in SEVERITIES
        assert 1 <= len(graph.targets(defect.key, "shows")) <= 3, defect.key
        priors = graph.causes(defect.key)
        assert 2 <= len(priors) <= 4, defect.key
        # a handful of real cases must be able to overrule a guess
        assert 1.5 <= sum(priors.values()) <= 5, defect.key


def test_every_cause_can_be_placed_remedied_and_checked(graph: KnowledgeGraph) -> None:
    causes = graph.nodes("cause")
    for cause in causes:
        for relation in ("arises_in", "remedied_by", "verified_by"):
            assert graph.targets(cause.key, relation), (cause.key, relation)
    shared = [cause for cause in causes if len(graph.sources(cause.key, "caused_by")) > 1]
    assert len(shared) > 0.8 * len(causes), "a graph, not a list"


def test_nothing_stands_alone_and_nothing_dangles(graph: KnowledgeGraph, seeded_content: Content) -> None:
    assert [key for key, degree in graph.nx.degree() if degree == 0] == []
    assert graph.nx.number_of_edges() == len(seeded_content.edges)
    for key, facts in seeded_content.nodes.items():
        check_key(key)
        assert facts["name"].strip()
        assert facts["text"].strip()
    for source, relation, target in seeded_content.edges:
        check_edge(source, relation, target)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("heat: 0.5", "heat: -1", "categories.nut.defects.crack.causes.heat"),
        ("heat: 0.5", "frost: 0.5", "categories.nut.defects.crack.causes: 'frost' is not among the causes"),
        ("severity: critical", "severity: bad", "categories.nut.defects.hole.severity"),
        ("steps: [store], remedies: [pad]", "steps: [], remedies: [pad]", "causes.drop.steps"),
        ("remedies: [pad]", "remedies: [glue]", "causes.drop.remedies: 'glue'"),
        ("  pad:", "  Big Pad:", "remedies.Big Pad"),
        ("  insect: {", "  drop: {", "line 25: 'drop' stands twice"),
        ("signs: [line]", "signs: [line", "line "),
        ("causes: {insect: 2", "causes: {[a]: 1, insect: 2", "line 18"),
        ("text: A nut.", "words: A nut.", "categories.nut.text"),
    ],
)
def test_a_broken_seed_names_file_and_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in SMALL_SEED
    write_seed(tmp_path, SMALL_SEED.replace(old, new))
    with pytest.raises(AnomalyOSError) as raised:
        load_seeds(tmp_path / "knowledge")
    assert str(raised.value).startswith("seed.yaml, ")
    assert told in str(raised.value)


def test_a_name_may_stand_in_one_file_only(tmp_path: Path) -> None:
    write_seed(tmp_path)
    (tmp_path / "knowledge/zz.yaml").write_text("steps: {store: {name: Store, text: Again.}}")
    with pytest.raises(AnomalyOSError, match=r"zz.yaml, steps.store: it stands in seed.yaml already"):
        load_seeds(tmp_path / "knowledge")


def test_files_that_hold_no_seeds(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no knowledge seeds"):
        load_seeds(tmp_path)
    (tmp_path / "a.yaml").write_text("just words")
    with pytest.raises(AnomalyOSError, match=r"a.yaml, the file: it needs some of the sections"):
        read_file(tmp_path / "a.yaml")
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AnomalyOSError, match=r"a.yaml"):
        read_file(tmp_path / "a.yaml")
