"""The defect classifier: what kind of defect a crop shows, learned from confirmed ones."""
