"""Why a query cannot be used."""


class QueryError(ValueError):
    """A query that cannot be used. `column` (from 1) is where, `hint` what to do; neither repeats what was typed."""

    def __init__(self, hint: str, column: int = 1) -> None:
        super().__init__(f"column {column}: {hint}")
        self.hint = hint
        self.column = column
