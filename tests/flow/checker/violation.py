"""What the checker says when a promise was broken."""


class Violation(AssertionError):
    """A promise was broken; the text says which, and by what."""


def hold(condition: bool, text: str) -> None:
    """Raise Violation unless `condition`."""
    if not condition:
        raise Violation(text)
