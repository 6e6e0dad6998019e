-- Writes what became of a chat's turn, in one step, and lets the chat go. KEYS: due, pictures, free, chats, box, done, then what was
-- told of each episode. ARGV: chat, when it may be addressed again (ms), when to look at it again (ms), pending rows the caller knows
-- will be left, how many of them are words, life of done rows (ms), how many rows are done, how many stay or come, then alert and row
-- of each, then what was told by episode. Of a chat that was erased meanwhile nothing is written. Returns 1 when it was written.

local chat = ARGV[1]
if redis.call('HEXISTS', KEYS[4], chat) == 0 then return 0 end
local at = 9
for _ = 1, tonumber(ARGV[7]) do
  redis.call('HDEL', KEYS[5], ARGV[at])
  redis.call('HSET', KEYS[6], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, tonumber(ARGV[8]) do
  redis.call('HSET', KEYS[5], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for i = 7, #KEYS do
  redis.call('HSET', KEYS[i], chat, ARGV[at])
  at = at + 1
end
redis.call('PEXPIRE', KEYS[6], ARGV[6])
redis.call('ZADD', KEYS[3], ARGV[2], chat)
redis.call('ZREM', KEYS[1], chat)
redis.call('ZREM', KEYS[2], chat)
local left = redis.call('HLEN', KEYS[5])
if left > tonumber(ARGV[4]) then
  redis.call('ZADD', KEYS[1], ARGV[2], chat)  -- something came in between
elseif left > 0 then
  redis.call('ZADD', tonumber(ARGV[5]) > 0 and KEYS[1] or KEYS[2], ARGV[3], chat)
end
return 1
