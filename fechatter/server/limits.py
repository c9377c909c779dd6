"""How often one may ask.

RateLimits.spend        a post or a read of a user: decided in this process, shared with the others within a second
RateLimits.sign_in, sign_up, open_invite, test_push   decided in the database, for all servers together
RateLimits.share        exchange what was spent with the other servers
address_key             the part of an address that one person has

Off with `limits.enabled: false`: then everything is allowed and nothing is counted.
"""

import hashlib
import ipaddress
import time
from typing import Literal

from fechatter.config import Limits
from fechatter.domain.errors import RateLimited
from fechatter.domain.rates import Bucket, Rate, Standing
from fechatter.domain.text import fold
from fechatter.store.database import Database
from fechatter.store.people import rate_limits

Kind = Literal["post", "read"]
WORTH_SHARING = 0.1
"""Whoever has spent less than this part of an allowance is not near its end on any server."""
TEST_PUSHES_PER_MINUTE = 10
_IPV6_PREFIX = 64


class RateLimits:
    """The limits of one process.

    _buckets   by key, of those who are not at rest; `share` forgets the others
    """

    def __init__(self, db: Database, limits: Limits) -> None:
        self._db = db
        self._enabled = limits.enabled
        self._rates: dict[Kind, Rate] = {
            "post": Rate.per(1, limits.posts_per_second, limits.posts_burst),
            "read": Rate.per(1, limits.reads_per_second, limits.reads_burst),
        }
        self._account = Rate.per(60, limits.signins_per_minute_account)
        self._address = Rate.per(60, limits.signins_per_minute_address)
        self._sign_up = Rate.per(3600, limits.signups_per_hour_address)
        self._invite = Rate.per(60, limits.invites_per_minute_address)
        self._test_push = Rate.per(60, TEST_PUSHES_PER_MINUTE)
        self._buckets: dict[tuple[Kind, int], Bucket] = {}

    def spend(self, kind: Kind, user_id: int) -> Standing | None:
        """Count one; None while limits are off. Raises RateLimited."""
        if not self._enabled:
            return None
        bucket = self._buckets.get((kind, user_id))
        if bucket is None:
            bucket = self._buckets[kind, user_id] = Bucket()
        return _checked(bucket.take(self._rates[kind], time.monotonic()))

    async def sign_in(self, email: str, address: str) -> Standing | None:
        """Count a try, by the address it comes from and the account it names, known or not. Raises RateLimited."""
        await self._take(f"signin-from:{address_key(address)}", self._address)
        return await self._take(f"signin-to:{_digest(fold(email))}", self._account)

    async def password(self, user_id: int) -> Standing | None:
        """Count a try at the current password of somebody signed in. Raises RateLimited."""
        return await self._take(f"password:{user_id}", self._account)

    async def test_push(self, user_id: int) -> Standing | None:
        return await self._take(f"test-push:{user_id}", self._test_push)

    async def sign_up(self, address: str) -> Standing | None:
        return await self._take(f"signup-from:{address_key(address)}", self._sign_up)

    async def open_invite(self, address: str) -> Standing | None:
        return await self._take(f"invite-from:{address_key(address)}", self._invite)

    async def share(self) -> None:
        """Tell the other servers what was spent here, and learn what was spent there."""
        now = time.monotonic()
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if bucket.full_at > now}
        told = {f"{kind}:{user_id}": bucket for (kind, user_id), bucket in self._buckets.items() if bucket.unshared}
        told = {key: bucket for key, bucket in told.items() if self._is_worth_sharing(key, bucket, now)}
        if not told:
            return
        spent = {key: bucket.unshared for key, bucket in told.items()}
        for bucket in told.values():
            bucket.unshared = 0.0
        async with self._db.connection() as connection:
            debts = await rate_limits.share(connection, spent)
        now = time.monotonic()
        for key, debt in debts.items():
            told[key].full_at = now + debt + told[key].unshared

    def _is_worth_sharing(self, key: str, bucket: Bucket, now: float) -> bool:
        rate = self._rates["post" if key.startswith("post") else "read"]
        bucket.unshared = min(bucket.unshared, bucket.full_at - now)
        return bucket.full_at - now >= WORTH_SHARING * rate.full_s

    async def _take(self, key: str, rate: Rate) -> Standing | None:
        if not self._enabled:
            return None
        async with self._db.connection() as connection:
            return _checked(await rate_limits.take(connection, key, rate))


def address_key(address: str) -> str:
    """The address, or the network of an IPv6 one that one subscriber is given (/64)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))


def _checked(standing: Standing) -> Standing:
    if not standing.allowed:
        raise RateLimited(standing.retry_after_s, standing.rate.burst)
    return standing


def _digest(text: str) -> str:
    """Addresses that somebody tries are nobody's to read in a table."""
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
