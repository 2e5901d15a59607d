"""The sign-in form of people."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm

from accounts.lockout import authenticate_in_turn


class SignInForm(AuthenticationForm):
    """Says the same for an unknown email, a wrong password and an inactive user: it tells nobody who exists."""

    error_messages = {"invalid_login": "Email or password is wrong.", "inactive": "Email or password is wrong."}

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if self.request is not None and email and password:
            self.user_cache = authenticate_in_turn(self.request, email, password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
        return self.cleaned_data
