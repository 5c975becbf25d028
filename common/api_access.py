"""The API's permission class, by itself: REST framework loads it while it loads its own views."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common import access, permissions


class HasRequiredPermission(BasePermission):
    """Deny by default; ask the one table for what the view declares in ``required_permission``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        requirement: access.Requirement | None = getattr(view, "required_permission", None)
        if requirement is None:
            return False
        method = request.method or "GET"
        code = access.code_for(requirement, getattr(view, "action", None) or "", method)
        if code is None:
            # Not answered at all: let the view say 405 rather than 403.
            return not hasattr(view, method.lower())
        return permissions.allowed(request.user, code)
