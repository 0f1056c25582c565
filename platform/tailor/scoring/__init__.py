"""Scores of answers, what they say about a row, and which row to use."""
