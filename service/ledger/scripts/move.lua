-- A group has become another chat: its record, rows and places move; what it was told cannot be edited there any more.
-- KEYS: due, pictures, free, chats, episodes, old box, new box, then old and new done of each week.
-- ARGV: old chat, new chat, record of the new one if there is none yet, start of the names of what was told, what was told while nothing
-- was, now (ms).

local old, new = ARGV[1], ARGV[2]
redis.call('HSETNX', KEYS[4], new, ARGV[3])
redis.call('HDEL', KEYS[4], old)
for i = 6, #KEYS, 2 do
  local fields = redis.call('HGETALL', KEYS[i])
  for j = 1, #fields, 2 do redis.call('HSETNX', KEYS[i + 1], fields[j], fields[j + 1]) end
  local life = redis.call('PTTL', KEYS[i])
  if life > 0 then redis.call('PEXPIRE', KEYS[i + 1], life) end
  redis.call('DEL', KEYS[i])
end
for _, episode in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
  local name = ARGV[4] .. episode
  if redis.call('HDEL', name, old) == 1 then redis.call('HSETNX', name, new, ARGV[5]) end
end
for i = 1, 3 do redis.call('ZREM', KEYS[i], old) end  -- with the claim of whoever found out
if redis.call('EXISTS', KEYS[7]) == 1 then redis.call('ZADD', KEYS[1], 'NX', ARGV[6], new) end
return 1
