"""The HTTP door: shows, never decides."""

from service.api.build import build
from service.api.view import View

__all__ = ["View", "build"]
