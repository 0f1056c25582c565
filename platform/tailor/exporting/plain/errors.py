"""What is wrong with this folder, in a sentence."""


class TailorError(Exception):
    """A file of the assistant is missing or damaged."""
