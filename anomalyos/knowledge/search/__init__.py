"""Search in plain language: words (BM25) and meaning (sentence embeddings), fused."""

from anomalyos.knowledge.search.document import SearchHit, Span
from anomalyos.knowledge.search.engine import KnowledgeSearch, get_search
from anomalyos.knowledge.search.filters import KINDS, Filters

__all__ = ["KINDS", "Filters", "KnowledgeSearch", "SearchHit", "Span", "get_search"]
