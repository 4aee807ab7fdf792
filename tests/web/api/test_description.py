"""The description of the API: every answer is described, every example fits, and nothing of it is public by accident."""

import re
from typing import Any

import pytest
from django.test import Client
from ninja import Schema

from newsletter.web.api.problems import MEDIA_TYPE
from newsletter.web.api.schema import ApiSchema
from newsletter.web.api.urls import api
from tests.web.api.conftest import operations


def schemas(of: type[Schema] = ApiSchema) -> list[type[Schema]]:
    return [each for child in of.__subclasses__() for each in (child, *schemas(child))]


@pytest.mark.django_db
def test_it_can_be_read_without_a_token_and_there_is_no_other_page() -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200 and answer.json()["openapi"].startswith("3.1")
    assert Client().get("/api/v1/docs").status_code == 404


def test_every_operation_says_its_scope_and_all_its_answers() -> None:
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            answers = {int(status) for status in operation["responses"]}
            assert {401, 403, 422, 429} < answers, (method, path)
            assert ("{" in path) == (404 in answers) or method == "post"
            assert f"Scope: `{operation['x-scope']}`" in operation["description"]
            for status in answers:
                assert status < 400 or MEDIA_TYPE in operation["responses"][status]["content"]


def test_every_field_has_an_example_and_the_examples_are_valid() -> None:
    for schema in schemas():
        if schema.__name__.startswith("ApiPage"):
            continue
        example = {name: _example(field) for name, field in schema.model_fields.items()}
        schema.model_validate(example)


def _example(field: Any) -> Any:
    if field.examples:
        return field.examples[0]
    for extra in field.metadata:
        if getattr(extra, "examples", None):
            return extra.examples[0]
    inner = next((each for each in schemas() if each.__name__ in re.split(r"\W+", str(field.annotation))), None)
    assert inner is not None, field
    value = {name: _example(each) for name, each in inner.model_fields.items()}
    return [value] if str(field.annotation).startswith("list[") else value


def test_no_address_stands_in_a_url() -> None:
    for _, path, _ in operations():
        assert "address" not in path
