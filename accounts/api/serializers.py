"""JSON of users and of signing in."""

from django.contrib.auth.password_validation import validate_password
from rest_framework import serializers

from accounts.lockout import authenticate_in_turn
from accounts.models import User

LONGEST_PASSWORD = 1000  # characters; more would only keep the validators busy


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "name", "role")
        read_only_fields = ("id", "email", "role")


class CredentialsSerializer(serializers.Serializer):
    """The form of OAuth2's password flow (RFC 6749 §4.3.2); what else clients send along is ignored."""

    username = serializers.CharField(max_length=254, help_text="The email address.")
    password = serializers.CharField(trim_whitespace=False, style={"input_type": "password"})


class PairSerializer(serializers.Serializer):
    """A pair of tokens (RFC 6749 §5.1)."""

    access_token = serializers.CharField(help_text="For `Authorization: Bearer …`.")
    refresh_token = serializers.CharField(help_text="Good once, for the next pair.")
    token_type = serializers.ChoiceField(choices=["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds that the access token is good.")


class AccessSerializer(PairSerializer):
    """The answer to a successful sign-in: a pair of tokens, and who signed in."""

    user = UserSerializer()


class RefreshTokenSerializer(serializers.Serializer):
    refresh_token = serializers.CharField(max_length=2000)


class NewPasswordSerializer(serializers.Serializer):
    """The signed-in user's change of password; `request` and `user` come in the context.

    A wrong current password counts as a wrong try to sign in: who found an open session must not guess it here.
    """

    current_password = serializers.CharField(trim_whitespace=False, style={"input_type": "password"})
    new_password = serializers.CharField(
        trim_whitespace=False, max_length=LONGEST_PASSWORD, style={"input_type": "password"}
    )

    def validate_current_password(self, password: str) -> str:
        if authenticate_in_turn(self.context["request"], self.context["user"].email, password) is None:
            raise serializers.ValidationError("The current password is wrong.")
        return password

    def validate_new_password(self, password: str) -> str:
        validate_password(password, self.context["user"])
        return password
