"""The HTTP door: shows, never decides."""
