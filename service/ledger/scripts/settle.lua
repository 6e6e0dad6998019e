-- Writes what became of a chat's turn, in one step, and lets the chat go. KEYS: due, pictures, free, chats, episodes, box, done, then what
-- was told of each episode. ARGV: chat, its record as it was taken, now (ms), when it may be addressed again (ms), when to look at it
-- again (ms), pending rows the caller knows will be left, how many of them are words, life of done rows (ms), how many rows are done,
-- how many stay or come, then alert and row of each, then name and what was told of each episode. Of a chat that was erased meanwhile
-- nothing is written. Returns 1 when it was written.

local chat, free, due = ARGV[1], ARGV[4], ARGV[5]
local record = redis.call('HGET', KEYS[4], chat)
if not record then return 0 end
local at = 11
for _ = 1, tonumber(ARGV[9]) do
  redis.call('HDEL', KEYS[6], ARGV[at])
  redis.call('HSET', KEYS[7], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, tonumber(ARGV[10]) do
  redis.call('HSET', KEYS[6], ARGV[at], ARGV[at + 1])
  at = at + 2
end
redis.call('PEXPIRE', KEYS[7], ARGV[8])
for i = 8, #KEYS do
  redis.call('HSET', KEYS[i], chat, ARGV[at + 1])
  redis.call('PEXPIRE', KEYS[i], ARGV[8])
  redis.call('ZADD', KEYS[5], string.format('%.0f', tonumber(ARGV[3]) + 2 * ARGV[8]), ARGV[at])
  at = at + 2
end
redis.call('ZADD', KEYS[3], free, chat)
redis.call('ZREM', KEYS[1], chat)
redis.call('ZREM', KEYS[2], chat)
local left = redis.call('HLEN', KEYS[6])
if left > tonumber(ARGV[6]) or (left > 0 and record ~= ARGV[2]) then
  redis.call('ZADD', KEYS[1], free, chat)  -- something came in between, or it wants something else by now
elseif left > 0 then
  redis.call('ZADD', tonumber(ARGV[7]) > 0 and KEYS[1] or KEYS[2], due, chat)
end
return 1
