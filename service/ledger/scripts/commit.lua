-- Writes detector states and appends alerts, all or nothing. KEYS: token, states, alerts, then one per alert id.
-- ARGV: token, life of an alert (ms), states to set, states to drop, then market and state of each, markets to drop, alerts.
-- Returns 0 when the token is not the current one.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local keep, sets, drops = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local at = 5
for _ = 1, sets do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, drops do
  redis.call('HDEL', KEYS[2], ARGV[at])
  at = at + 1
end
local oldest = string.format('%.0f', redis.call('TIME')[1] * 1000 - keep)
for i = 4, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then
    local cursor = redis.call('XADD', KEYS[3], 'MINID', '~', oldest, '*', 'alert', ARGV[at])
    redis.call('SET', KEYS[i], cursor, 'PX', keep)
  end
  at = at + 1
end
return 1
