"""Something is broken while tokens are verified and limits are counted, again and again.

What is broken is said in LOADTEST_FAULTS, a line each: a name, `=`, and the command that does it.
They come in turns, evenly over the run, whose end is left in peace. Nobody may ever be let in who
should not be, and after `recovery_s` everything has to be as before.
"""

from loadtests.floor import Floor
from loadtests.scenarios.forward_auth import Direct
from loadtests.scenarios.rbac_mix import RbacMix
from loadtests.scenarios.steady_verify import SteadyVerify

__all__ = ["Direct", "Floor", "RbacMix", "SteadyVerify"]
