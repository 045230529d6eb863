"""Lua scripts for Redis 6 or later. Each is one atomic step, and its time is the server's.

A Redis server can lose some or all of its data when it restarts. So for one window (or one lease) after its start no
request (or lock) is granted: what was granted before has ended by then. A holder can claim its lock again meanwhile.
"""

_CLOCK = """
local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function us_until_settled(settled_us)
  local uptime = string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)')
  return settled_us - tonumber(uptime or 0) * 1000000
end
"""

TAKE = (
    _CLOCK
    + """
local all, class = KEYS[1], KEYS[2]
local member, window_us, settled_us = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now, wait_us = now_us(), us_until_settled(settled_us)
if wait_us > 0 then
  return wait_us
end
local blocking = 0
for key, limit in pairs({[all] = tonumber(ARGV[4]), [class] = tonumber(ARGV[5])}) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window_us)
  local newest = redis.call('ZREVRANGE', key, limit - 1, limit - 1, 'WITHSCORES')
  blocking = math.max(blocking, tonumber(newest[2] or 0))
end
if blocking > 0 then
  return math.max(blocking + window_us - now, 1)
end
for _, key in ipairs({all, class}) do
  redis.call('ZADD', key, now, member)
  redis.call('PEXPIRE', key, math.floor(window_us / 500))
end
return 0
"""
)
"""Keys: requests of both classes, and of one. Returns microseconds to wait; 0: the request is recorded."""

ACQUIRE = (
    _CLOCK
    + """
local lock, token, holder, lease_us, kept_ms = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now, stored = now_us(), redis.call('HMGET', lock, 'token', 'until', 'holder')
if stored[1] ~= token then
  if stored[1] and tonumber(stored[2]) > now then
    return stored[3]
  end
  if us_until_settled(tonumber(ARGV[5])) > 0 then
    return 'perhaps a process from before the start of the server'
  end
end
redis.call('HSET', lock, 'token', token, 'until', string.format('%.0f', now + lease_us), 'holder', holder)
redis.call('PEXPIRE', lock, kept_ms)
return ''
"""
)
"""Returns who holds the lock; empty: the token does."""

RENEW = (
    _CLOCK
    + """
local lock, token, holder, lease_us, kept_ms = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local stored = redis.call('HGET', lock, 'token')
if stored ~= token then
  if us_until_settled(tonumber(ARGV[5])) <= 0 then
    return 'lost'
  end
  if ARGV[6] ~= '1' then
    return 'unknown'
  end
end
redis.call('HSET', lock, 'token', token, 'until', string.format('%.0f', now_us() + lease_us), 'holder', holder)
redis.call('PEXPIRE', lock, kept_ms)
return 'held'
"""
)
"""Returns the value of a `Renewal`."""

RELEASE = """
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""
