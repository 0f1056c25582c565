"""Choosing a model knowingly: what it is, what it takes, and how it does on your own text."""
