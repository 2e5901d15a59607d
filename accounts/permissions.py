"""What a role may do over REST; which rows it may do it to is `visible_to` of their QuerySets."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class AdminsOnly(BasePermission):
    message = "Only admins may do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_superuser


class ReadOrOperate(BasePermission):
    """Everyone who is signed in reads; admins and operators write."""

    message = "Your role may read here, not write."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not user.is_authenticated:
            return False
        return request.method in SAFE_METHODS or user.may_operate


class AdminAddsAndRemoves(ReadOrOperate):
    """Like ReadOrOperate, but what there is, is for admins to say."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in ("POST", "DELETE"):
            return request.user.is_superuser
        return super().has_permission(request, view)
