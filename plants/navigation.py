"""What every page's side bar needs of the plants."""

from django.http import HttpRequest

from plants.models import Plant


def plants_of_user(request: HttpRequest) -> dict[str, object]:
    """Context processor: `nav_plants`, lazily, since only pages with the side bar read it."""
    return {"nav_plants": Plant.objects.visible_to(request.user)}
