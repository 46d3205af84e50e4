"""How deep the photographed surface is, place by place, and what that says of a region."""

from anomalyos.features.depth.estimate import DepthMap, estimate_depth
from anomalyos.features.depth.statistics import DepthStatistics, region_statistics

__all__ = ["DepthMap", "DepthStatistics", "estimate_depth", "region_statistics"]
