"""Sessions of people in the browser: sign in, sign out."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts.forms import SignInForm
from accounts.lockout import authenticate_in_turn, duration, lock_met, warning
from accounts.models import User
from accounts.throttles import too_many_sign_ins


class SignInView(LoginView):
    """The one page for people to sign in, for the admin and the browsable API too."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if seconds := too_many_sign_ins(request):
            return self.refuse(seconds, busy=f"Too many sign-ins from this address. Try again in {duration(seconds)}.")
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        if lock := lock_met(self.request):
            return self.refuse(lock.seconds, form=form, lock=lock)
        return self.render_to_response(self.get_context_data(form=form, warning=warning(self.request)))

    def refuse(self, seconds: int, **context: Any) -> HttpResponse:
        """429, and when to come back."""
        response = self.render_to_response(self.get_context_data(**context), status=429)
        response["Retry-After"] = str(seconds)
        return response


login = SignInView.as_view()
logout = LogoutView.as_view()  # by POST only; Django refuses a link that signs people out


def admin_login(request: HttpRequest) -> HttpResponse:
    """Instead of the admin's own page, which would be a second door; those who are in but may not go on are told so."""
    if isinstance(request.user, User) and not request.user.is_staff:
        raise PermissionDenied("The administration is for admins and operators.")
    wanted = request.GET.get("next") or reverse("admin:index")
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': wanted})}")


def admin_password_change(request: HttpRequest) -> HttpResponse:
    """The admin's own page; a wrong old password counts as a wrong try to sign in, as it does over REST."""
    if request.method == "POST" and isinstance(request.user, User):
        authenticate_in_turn(request, request.user.email, request.POST.get("old_password", ""))
        if lock := lock_met(request):
            refusal = render(request, "accounts/locked.html", {"lock": lock}, status=429)
            refusal["Retry-After"] = str(lock.seconds)
            return refusal
    return admin.site.password_change(request)
