"""The demo: our own venue servers play a published evening, through the same street, on a scaled clock."""

from service.demo.run import DemoError, Plan, demo

__all__ = ["DemoError", "Plan", "demo"]
