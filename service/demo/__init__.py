"""The demo: our own venue servers play a published evening, through the same street, on a scaled clock."""

from service.demo.run import demo

__all__ = ["demo"]
