"""Sessions of people in the browser: sign in, sign out."""

from django.contrib.auth.views import LoginView, LogoutView

from accounts.forms import SignInForm

login = LoginView.as_view(
    template_name="accounts/login.html", authentication_form=SignInForm, redirect_authenticated_user=True
)
logout = LogoutView.as_view()  # by POST only; Django refuses a link that signs people out
