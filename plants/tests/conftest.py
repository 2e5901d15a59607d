from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tokens import issue_access_token

ApiOf = Callable[[str | User], APIClient]


@pytest.fixture
def api_of(request: pytest.FixtureRequest) -> ApiOf:
    """A REST client that carries the persona's token; none for `anonymous`."""

    def api_of(persona: str | User) -> APIClient:
        if persona == "anonymous":
            return APIClient()
        user = request.getfixturevalue(persona) if isinstance(persona, str) else persona
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_access_token(user)}")
        return client

    return api_of
