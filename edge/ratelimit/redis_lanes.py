"""The lanes to the Redis of a URL, whatever kind it is."""

from typing import Final

from edge.ratelimit.ports import Lane
from edge.ratelimit.redis import RedisLane, Script
from edge.ratelimit.redis_cluster import ClusterLane
from edge.stores.redis import cluster, connection
from edge.stores.redis_url import read_redis_url

# One is decided while the answers of the other are handed out.
_LANES: Final = 2


def open_lanes(url: str) -> list[Lane]:
    """Make the lanes to a Redis; nothing is connected yet.

    Without redis-py's own time-outs and retries: the budget of a decision ends everything that
    takes too long, and what was charged twice would refuse somebody.
    """
    script = Script()
    if read_redis_url(url).kind == "cluster":
        return [ClusterLane(cluster(url), script) for _ in range(_LANES)]
    return [RedisLane(connection(url), script) for _ in range(_LANES)]
