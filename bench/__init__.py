"""How fast we are, as ratios to floors measured in the same minute (docs/performance.md)."""
