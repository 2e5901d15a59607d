import pytest
from django.db import IntegrityError, transaction

from accounts.models import User


def test_it_stores_and_finds_emails_in_lower_case(db: None) -> None:
    User.objects.create_user("Dora@Example.ORG", "correct horse battery")
    assert User.objects.get(email="DORA@example.org").email == "dora@example.org"


def test_it_refuses_the_same_email_in_another_case(bob: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("BOB@example.org")


def test_it_refuses_an_unknown_role_in_the_database(bob: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=bob.pk).update(role="owner")


def test_it_hashes_with_bcrypt_over_sha256(db: None) -> None:
    user = User.objects.create_user("dora@example.org", "correct horse battery")
    assert user.password.startswith("bcrypt_sha256$$2b$12$")


@pytest.mark.parametrize(
    ("persona", "admin", "operates", "staff"),
    [("alice", True, True, True), ("bob", False, True, True), ("vera", False, False, False)],
)
def test_it_derives_powers_from_the_role(
    request: pytest.FixtureRequest, persona: str, admin: bool, operates: bool, staff: bool
) -> None:
    user = request.getfixturevalue(persona)
    assert (user.is_admin, user.may_operate, user.is_staff) == (admin, operates, staff)
    user.is_active = False
    assert (user.is_admin, user.may_operate, user.is_staff) == (False, False, False)


def test_it_makes_superusers_admins(db: None) -> None:
    assert User.objects.create_superuser("root@example.org", "correct horse battery").role == "admin"
