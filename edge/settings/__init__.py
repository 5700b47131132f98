"""Settings: typed, frozen, decoded once at start from the environment and an optional TOML file."""

from edge.settings.checks import check
from edge.settings.findings import Finding, SettingsError
from edge.settings.model import Settings
from edge.settings.secret import Secret
from edge.settings.sources import Loaded, load, load_settings

__all__ = [
    "Finding",
    "Loaded",
    "Secret",
    "Settings",
    "SettingsError",
    "check",
    "load",
    "load_settings",
]
