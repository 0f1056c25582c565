"""Numbers and labels: items, estimators and their samples."""
