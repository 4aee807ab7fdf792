"""What differs between two wordings."""

from newsletter.feeds.storage import word_diff
from newsletter.feeds.storage.word_diff import Change


def test_words_are_inserted_and_deleted() -> None:
    assert word_diff.word_diff("five people died", "six people died") == (
        Change("deleted", "five "),
        Change("inserted", "six "),
        Change("same", "people died"),
    )
    assert word_diff.word_diff("same", "same") == ()


def test_both_wordings_can_be_read_and_what_is_the_same_is_left_out() -> None:
    words = " ".join(f"word{number}" for number in range(60))
    before, after = f"{words} old end.\n\nSecond.", f"{words} new end.\n\nSecond.\n\nThird."
    changes = word_diff.word_diff(before, after)
    assert [change.kind for change in changes][:3] == ["left out", "same", "deleted"]
    assert "".join(each.text for each in changes if each.kind == "inserted").split() == ["new", "Second.", "Third."]


def test_a_text_that_is_all_different_is_not_compared_word_by_word() -> None:
    before, after = "old " * 3_000, "new " * 3_000
    assert [change.kind for change in word_diff.word_diff(before, after)] == ["deleted", "inserted"]
