"""How likely each root cause is: a Dirichlet prior from the graph, updated by established causes.

For one defect type with causes 1..m, priors alpha_i (pseudo-counts of its ``caused_by`` edges) and n_i cases
in which cause i was established, the posterior is Dirichlet(alpha + n) and its marginals are
Beta(a_i, A - a_i) with a_i = alpha_i + n_i, A = sum a (Gelman et al., Bayesian Data Analysis, 3rd ed.,
section 3.4). With several defect types in question, weighted w_d, a cause's probability is a mixture of those
marginals, with a point mass at 0 for each defect type that does not list the cause.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anomalyos.cases import repository as case_repository
from anomalyos.core.errors import AnomalyOSError
from anomalyos.knowledge import cause_evidence
from anomalyos.knowledge.causes import RankedCause
from anomalyos.knowledge.grammar import category_of, defect_key
from anomalyos.knowledge.graph import KnowledgeGraph, load_graph
from anomalyos.knowledge.tables import Relation

if TYPE_CHECKING:
    from sqlmodel import Session

MASS = 0.90
"""Of the credible interval, with equal tails."""
_HALVINGS = 60

Counts = Mapping[tuple[str, str], int]
"""(defect, cause) to cases in which the cause was established."""


@dataclass(frozen=True)
class Marginal:
    """One cause under one defect type: Beta(a, b), where b = 0 means the only cause there is."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    def cdf(self, x: float) -> float:
        """Probability that the cause's share is at most ``x`` in [0, 1]."""
        from scipy.special import betainc

        if self.b <= 0:
            return 1.0 if x >= 1 else 0.0
        return float(betainc(self.a, self.b, x))


def marginals(priors: Mapping[str, float], counts: Mapping[str, int]) -> dict[str, Marginal]:
    """Posterior marginal of every cause of one defect type.

    Args:
        priors: cause to its pseudo-count, > 0.
        counts: cause to established cases, >= 0; causes without a prior are left out.
    """
    alphas = {cause: prior + counts.get(cause, 0) for cause, prior in priors.items()}
    # the rest is summed without the cause itself: total - a would leave rounding, or -0, for b
    return {
        cause: Marginal(a, math.fsum(other for name, other in alphas.items() if name != cause))
        for cause, a in alphas.items()
    }


def interval(parts: Sequence[tuple[float, Marginal | None]], mean: float) -> tuple[float, float]:
    """Ends of the ``MASS`` credible interval of a mixture, by bisection of its distribution function.

    Args:
        parts: weights summing to 1, with None for a point mass at 0.
        mean: of the mixture. When most of the weight lies on defect types that do not list the cause, the
            equal-tailed interval can leave the mean outside; it is then widened to hold it, so the interval
            holds at least ``MASS``.
    """
    tail = (1 - MASS) / 2
    low, high = _quantile(parts, tail), _quantile(parts, 1 - tail)
    return min(low, mean), max(high, mean)


def _quantile(parts: Sequence[tuple[float, Marginal | None]], share: float) -> float:
    """The smallest x in [0, 1] with F(x) >= share."""

    def below(x: float) -> float:
        return math.fsum(weight * (1.0 if part is None else part.cdf(x)) for weight, part in parts)

    low, high = 0.0, 1.0
    if below(low) >= share:
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if below(middle) >= share:
            high = middle
        else:
            low = middle
    return high


def root_causes(
    graph: KnowledgeGraph,
    evidence: Session | Counts,
    defects: Sequence[tuple[str, float]],
    k: int = 5,
) -> tuple[RankedCause, ...]:
    """The likeliest causes of what is seen, with the path that leads there.

    Args:
        evidence: a session to count established causes with, or the counts.
        defects: defect keys with weights >= 0 that say how likely each type is; they need not sum to 1. A
            type the graph does not list stands for all types of its category, and the path then says "may
            have defect". A category the graph does not know adds nothing.
        k: how many causes at most.

    Returns:
        Most probable first; empty when nothing is known of the category.

    Raises:
        AnomalyOSError: a weight is negative or not a number, or k < 1.
    """
    weights, certain = resolve(graph, defects)
    if k < 1:
        raise AnomalyOSError(f"{k} causes cannot be ranked.", "Ask for at least one.")
    if not weights:
        return ()
    counts = evidence if isinstance(evidence, Mapping) else _count(evidence, list(weights))
    view = _Posterior(graph, weights, certain, counts)
    causes = sorted({cause for marginal in view.now.values() for cause in marginal})
    ranked = sorted((view.rank(cause) for cause in causes), key=lambda cause: (-cause.probability, cause.key))
    return tuple(ranked[:k])


class _Posterior:
    """What is believed of the causes of some weighted defect types, before and after the evidence."""

    def __init__(
        self, graph: KnowledgeGraph, weights: dict[str, float], certain: frozenset[str], counts: Counts
    ) -> None:
        self.graph = graph
        self.weights = weights
        self.certain = certain
        self.counts = counts
        self.before = {defect: marginals(graph.causes(defect), {}) for defect in weights}
        self.now = {defect: marginals(graph.causes(defect), _of(counts, defect)) for defect in weights}
        self.established = sum(counts.get((d, cause), 0) for d in weights for cause in self.now[d])

    def rank(self, cause: str) -> RankedCause:
        listing = [defect for defect in self.weights if cause in self.now[defect]]
        shares = {defect: self.weights[defect] * self.now[defect][cause].mean for defect in listing}
        mean = _clip(math.fsum(shares.values()))
        parts = [(weight, self.now[defect].get(cause)) for defect, weight in self.weights.items()]
        low, high = interval(parts, mean)
        prior = math.fsum(self.weights[defect] * self.before[defect][cause].mean for defect in listing)
        strongest = max(listing, key=lambda defect: (shares[defect], defect))
        node = self.graph.node(cause)
        return RankedCause(
            key=cause,
            name=node.name,
            text=node.text,
            probability=mean,
            low=low,
            high=high,
            prior=_clip(prior),
            confirmed=sum(self.counts.get((defect, cause), 0) for defect in listing),
            confirmed_all=self.established,
            path=self.graph.path(strongest, cause, certain=strongest in self.certain),
            steps=self.graph.items(cause, Relation.ARISES_IN),
            remedies=self.graph.items(cause, Relation.REMEDIED_BY),
            checks=self.graph.items(cause, Relation.VERIFIED_BY),
        )


def resolve(
    graph: KnowledgeGraph, defects: Sequence[tuple[str, float]]
) -> tuple[dict[str, float], frozenset[str]]:
    """Weights that sum to 1 over defect types with known causes, and which of them were named as such.

    Raises:
        AnomalyOSError: a weight is negative or not a number.
    """
    weights: dict[str, float] = {}
    certain: set[str] = set()
    for key, weight in defects:
        if not math.isfinite(weight) or weight < 0:
            raise AnomalyOSError(f"{weight} cannot be the weight of {key}.", "Give a number of 0 or more.")
        if weight == 0:
            continue
        if graph.causes(key):
            certain.add(key)
            weights[key] = weights.get(key, 0.0) + weight
            continue
        others = [other for other in graph.defects(category_of(key)) if graph.causes(other)]
        for other in others:
            weights[other] = weights.get(other, 0.0) + weight / len(others)
    total = math.fsum(weights.values())
    return {key: weight / total for key, weight in weights.items() if weight / total > 0}, frozenset(certain)


def root_causes_for_case(session: Session, case_id: int, k: int = 5) -> tuple[RankedCause, ...]:
    """Ranked causes of one case of the case base. Raises NotFound when there is no such case."""
    case = case_repository.get(session, case_id)
    key = defect_key(case.category, case.defect_type)
    return root_causes(load_graph(session), session, [(key, 1.0)], k)


def _count(session: Session, defects: list[str]) -> Counts:
    return cause_evidence.counts(session, defects)


def _of(counts: Counts, defect: str) -> dict[str, int]:
    return {cause: number for (named, cause), number in counts.items() if named == defect}


def _clip(value: float) -> float:
    """Rounding may leave a sum of shares a hair outside."""
    return min(max(value, 0.0), 1.0)
