"""What a request costs at the least on this way to this Edge, measured beside everything else."""

from loadtests.answers import Call, status
from loadtests.users import OpenLoopUser
from loadtests.verdict import FLOOR


class Floor(OpenLoopUser):
    """One stream of `/livez`, which Edge answers without looking anything up."""

    name = FLOOR
    fixed_count = 1

    def rate_now(self) -> float:
        return 10.0  # however much the others ask

    def arrival(self, due_s: float) -> None:
        self.ask(Call(FLOOR, "/livez", status(200), "floor: is alive"), due_s)
