"""Whether a number that somebody saw before pressing a button still holds."""


def has_moved(shown: int, now: int) -> bool:
    """True if a number of people differs from the one that was shown by more than 10, or by more than 1 in 100."""
    difference = abs(now - shown)
    return difference > 10 or difference * 100 > max(shown, now)
