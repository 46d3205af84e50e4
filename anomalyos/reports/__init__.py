"""Reports: what is known about one inspection, in sentences that each name their source."""
