"""The base of all schemas of the API."""

from typing import Annotated, Any

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field

#: The largest number that a column of ids holds.
MOST = 2**31 - 1


def _without_nul(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("a NUL character cannot be stored")
    return value


#: Text of at most 200 characters, and of at most 20,000.
Text = Annotated[str, BeforeValidator(_without_nul), Field(max_length=200)]
LongText = Annotated[str, BeforeValidator(_without_nul), Field(max_length=20_000)]
Id = Annotated[int, Field(ge=1, le=MOST)]


class ApiSchema(Schema):
    """Names that are not known are refused: a mistyped one would change nothing, silently."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class People(ApiSchema):
    """A number of people tied to one topic: rounded to ten, or null where there are fewer than `fewer_than`."""

    shown: int | None = Field(examples=[120])
    fewer_than: int = Field(examples=[10])

    @staticmethod
    def of(count: Any) -> "People | None":
        """From a `PeopleCount`."""
        return None if count is None else People(shown=count.shown, fewer_than=count.threshold)
