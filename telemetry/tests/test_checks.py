import pytest
from django.core import checks


@pytest.mark.django_db
def test_it_has_nothing_to_say_of_plain_postgresql() -> None:
    assert checks.run_checks(tags=["database"], databases=["default"]) == []
