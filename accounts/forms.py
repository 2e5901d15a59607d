"""The sign-in form of people."""

from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """Says the same for an unknown email, a wrong password and an inactive user: it tells nobody who exists."""

    error_messages = {"invalid_login": "Email or password is wrong.", "inactive": "Email or password is wrong."}
