import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from plants.models import Membership, Plant


@pytest.mark.parametrize("bulk", [False, True])
def test_it_makes_the_owner_of_a_plant_a_member(kandy: Plant, charlie: User, bulk: bool) -> None:
    if bulk:
        Plant.objects.filter(pk=kandy.pk).update(owner=charlie)
    else:
        kandy.owner = charlie
        kandy.save()
    assert Plant.objects.visible_to(charlie).contains(kandy)
    Plant.objects.filter(pk=kandy.pk).update(owner=charlie)
    assert Membership.objects.filter(plant=kandy, user=charlie).count() == 1


def test_it_shows_memberships_to_admins_and_owners_only(kandy: Plant, alice: User, bob: User, charlie: User) -> None:
    assert Membership.objects.visible_to(alice).count() == 2
    assert not Membership.objects.visible_to(bob).exists()
    Plant.objects.filter(pk=kandy.pk).update(owner=bob)
    assert [membership.plant for membership in Membership.objects.visible_to(bob)] == [kandy]
    assert not Membership.objects.visible_to(charlie).exists()
    assert not Membership.objects.visible_to(AnonymousUser()).exists()


def test_it_shows_no_memberships_to_an_owner_who_is_inactive_or_no_longer_a_member(kandy: Plant, bob: User) -> None:
    Plant.objects.filter(pk=kandy.pk).update(owner=bob)
    assert Membership.objects.visible_to(bob).exists()
    bob.is_active = False
    assert not Membership.objects.visible_to(bob).exists()
    bob.is_active = True
    Membership.objects.filter(user=bob).delete()
    assert not Membership.objects.visible_to(bob).exists()
