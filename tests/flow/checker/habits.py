"""How a reader behaves: how long it stays, how often it stalls, goes back, resumes. All by its own dice."""

import random
from collections.abc import Sequence

import msgspec


class Habits(msgspec.Struct):
    """Chances are per batch that came, but for `goes_back`, which is per connection.

    urls        the notify servers, straight and by proxies
    silence_s   after so long without even a heartbeat the connection is given up
    mean_visit  how many events a visit lasts on average
    """

    dice: random.Random
    urls: Sequence[str]
    silence_s: float = 8.0
    mean_visit: int = 800
    stalls: float = 0.001
    longest_stall_s: float = 4.0
    goes_back: float = 0.2
    resumes: float = 0.003
    remembers: float = 0.002
    longest_away_s: float = 2.0

    def visit_length(self) -> int:
        """In events. Some visits end before hello has come, some last."""
        return int(self.dice.expovariate(1 / self.mean_visit)) + 1

    def stall_s(self) -> float:
        return self.dice.uniform(0.2, self.longest_stall_s)

    def away_s(self) -> float:
        """Mostly back at once."""
        return self.dice.uniform(0.2, self.longest_away_s) if self.dice.random() < 0.2 else 0.0
