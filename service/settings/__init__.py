"""Settings: environment over config/.env over TOML over defaults, into one frozen record. Assembles, decides nothing.

Every room owns its own knobs and their bounds; this room finds the values, refuses what is wrong and hides secrets.
"""

from service.settings.calendar import CalendarError, read_calendar
from service.settings.load import SettingsError, load
from service.settings.shape import Settings
from service.settings.show import public, toml_text

__all__ = ["CalendarError", "Settings", "SettingsError", "load", "public", "read_calendar", "toml_text"]
