"""JSON of users and of signing in."""

from rest_framework import serializers

from accounts.models import User


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "name", "role")
        read_only_fields = ("id", "email", "role")


class CredentialsSerializer(serializers.Serializer):
    """The form of OAuth2's password flow (RFC 6749 §4.3.2); what else clients send along is ignored."""

    username = serializers.CharField(help_text="The email address.")
    password = serializers.CharField(trim_whitespace=False, style={"input_type": "password"})


class AccessSerializer(serializers.Serializer):
    """The answer to a successful sign-in (RFC 6749 §5.1), and who signed in."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")
    user = UserSerializer()
