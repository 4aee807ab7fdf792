"""Token buckets in Redis, one step for each taking by Redis's own clock, so that all workers share them.

Like `InMemoryBuckets` in everything else. While Redis is down each process has buckets of its own at a share of the pace.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from newsletter.delivery.rate_limits.token_buckets import (
    LONGEST_WAIT,
    Bucket,
    Buckets,
    InMemoryBuckets,
    TokenGrant,
    TokenRequest,
    slower_bucket,
    slower_request,
)
from newsletter.lib.cooldown import Cooldown

log = structlog.get_logger()

#: Without Redis no process knows how many others send. Then no bell rings either, and of all workers one at a time looks at
#: the tables by itself; a quarter is right while no more than four send at once.
SHARE_WITHOUT_REDIS: Final = 0.25
#: Seconds for which Redis is not asked again after it did not answer, and seconds for an answer.
COOLDOWN, ANSWER_WITHIN = 5.0, 0.5
#: Where the buckets are; the braces keep all of them on one node of a cluster.
PREFIX: Final = "newsletter:{pace}:"

# Keys: the bucket over all (or nothing), then those of the asks that have one. Keys expire when they would be full again.
_SCRIPT: Final = """
local asked = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000

local function filled(key, bucket)
  local kept = redis.call('HMGET', key, 'tokens', 'at', 'q1', 'q2')
  local tokens, at = tonumber(kept[1]) or bucket.size, tonumber(kept[2]) or now
  tokens = math.min(bucket.size, tokens + math.max(now - at, 0) * bucket.rate)
  return {key = key, tokens = tokens, bucket = bucket, q = {tonumber(kept[3]) or 0, tonumber(kept[4]) or 0}}
end

local function keep(one)
  local text = function(number) return string.format('%.17g', number) end
  redis.call('HSET', one.key, 'tokens', text(one.tokens), 'at', text(now), 'q1', text(one.q[1]), 'q2', text(one.q[2]))
  local idle = math.max(one.bucket.size / one.bucket.rate, one.q[1] - now, one.q[2] - now) + 60
  redis.call('PEXPIRE', one.key, math.ceil(idle * 1000))
end

local function whole(tokens) return math.max(math.floor(tokens + 0.000001), 0) end

local over, left, place = nil, math.huge, 1
if asked.overall then
  over = filled(KEYS[1], asked.overall)
  left = whole(over.tokens)
  place = 2
end
if asked.look then return string.format('%.17g', over.tokens) end
local told = {}
for number, ask in ipairs(asked.asks) do
  if not ask.bucket then
    told[number] = {math.min(ask.mails, left), 0}
  else
    local one = filled(KEYS[place], ask.bucket)
    place = place + 1
    local allowed = math.min(ask.mails, whole(one.tokens - ask.reserve))
    local granted, wait = math.min(allowed, left), 0
    one.tokens = one.tokens - granted
    if granted == allowed and allowed < ask.mails then
      local turn = math.min(ask.mails - granted, ask.turn) / ask.bucket.rate
      one.q[ask.queue] = math.min(math.max(one.q[ask.queue], now) + turn, now + asked.longest)
      wait = one.q[ask.queue] - now
    end
    keep(one)
    told[number] = {granted, wait}
  end
  left = left - told[number][1]
  if over then over.tokens = over.tokens - told[number][1] end
end
if over then keep(over) end
return cjson.encode(told)
"""


class RedisBuckets:
    """The buckets of all processes that share a Redis; `url` is redis:// or rediss://."""

    def __init__(self, url: str, *, alone: Buckets | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=ANSWER_WITHIN,
            socket_connect_timeout=ANSWER_WITHIN,
            retry=Retry(NoBackoff(), 1),  # a connection that was closed meanwhile; a token lost by it is lost
        )
        self._run = self._redis.register_script(_SCRIPT)
        self._alone = alone or InMemoryBuckets()
        self._cooldown = Cooldown(COOLDOWN, clock)

    def level(self, bucket: Bucket) -> float:
        """See `Buckets`."""
        answer = self._ask_redis([bucket.key], {"overall": _bucket(bucket), "look": True})
        return self._alone.level(slower_bucket(bucket, SHARE_WITHOUT_REDIS)) if answer is None else float(answer)

    def take(self, overall: Bucket | None, asks: Sequence[TokenRequest]) -> list[TokenGrant]:
        """See `Buckets`."""
        keys = [overall.key] if overall else []
        keys += [ask.bucket.key for ask in asks if ask.bucket]
        question = {"overall": _bucket(overall), "asks": [_ask(ask) for ask in asks], "longest": LONGEST_WAIT}
        answer = self._ask_redis(keys, question)
        if answer is None:
            few = slower_bucket(overall, SHARE_WITHOUT_REDIS) if overall else None
            return self._alone.take(few, [slower_request(ask, SHARE_WITHOUT_REDIS) for ask in asks])
        return [TokenGrant(int(mails), float(wait)) for mails, wait in json.loads(answer)]

    def _ask_redis(self, keys: Sequence[str], question: dict[str, Any]) -> Any:
        """Redis's answer. Returns None while it is down, which is logged once, and once when it is back."""
        if self._cooldown.active:
            return None
        slim = {name: value for name, value in question.items() if value is not None}
        try:
            answer = self._run(keys=[PREFIX + key for key in keys], args=[json.dumps(slim)])
        except RedisError as error:
            if self._cooldown.start():
                log.warning("pace_without_redis", error=type(error).__name__)
            return None
        if self._cooldown.clear():
            log.warning("pace_with_redis_again")
        return answer


def _bucket(bucket: Bucket | None) -> dict[str, float] | None:
    return {"rate": bucket.rate, "size": bucket.size} if bucket else None


def _ask(ask: TokenRequest) -> dict[str, Any]:
    if ask.bucket is None:
        return {"mails": ask.mails}
    queue = 1 if ask.urgent else 2
    bucket = _bucket(ask.bucket)
    return {"mails": ask.mails, "bucket": bucket, "reserve": ask.reserve, "turn": ask.turn, "queue": queue}
