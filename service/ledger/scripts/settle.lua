-- Writes what became of a chat's turn, in one step, and lets the chat go. KEYS: due, free, chats, box, done, then what was told of each
-- episode. ARGV: chat, when it may be addressed again (ms), when to look at it again (ms), pending rows the caller knows will be left,
-- life of done rows (ms), how many rows are done, how many stay or come, then alert and row of each, then what was told by episode.
-- Of a chat that was erased meanwhile nothing is written. Returns 1 when it was written.

local chat = ARGV[1]
if redis.call('HEXISTS', KEYS[3], chat) == 0 then return 0 end
local at = 8
for _ = 1, tonumber(ARGV[6]) do
  redis.call('HDEL', KEYS[4], ARGV[at])
  redis.call('HSET', KEYS[5], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, tonumber(ARGV[7]) do
  redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for i = 6, #KEYS do
  redis.call('HSET', KEYS[i], chat, ARGV[at])
  at = at + 1
end
redis.call('PEXPIRE', KEYS[5], ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[2], chat)
local left = redis.call('HLEN', KEYS[4])
if left == 0 then
  redis.call('ZREM', KEYS[1], chat)
elseif left > tonumber(ARGV[4]) then
  redis.call('ZADD', KEYS[1], ARGV[2], chat)  -- something came in between
else
  redis.call('ZADD', KEYS[1], ARGV[3], chat)
end
return 1
