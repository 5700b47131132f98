"""What stands in the way of a measurement, in words for whoever asked for it."""


class UsageError(Exception):
    """Something was asked for that is not there: exit code 2."""


class PreparationError(Exception):
    """A side could not be made ready: nothing was measured."""


class StartError(PreparationError):
    """The process of a side does not start."""


class NoCasesError(PreparationError):
    """A tree has no cases, or its list of them cannot be read."""
