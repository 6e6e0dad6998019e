-- Puts one alert into the boxes of chats that have it neither pending nor done. KEYS: due, chats, told of the episode, episodes.
-- ARGV: start of boxes' names, starts of this and last week's done names, now (ms), life of what was told (ms), episode, alert, row,
-- what the chat was told of the episode while nothing was sent, then the chats. Returns how many rows are new.

local fresh = 0
for i = 10, #ARGV do
  local chat = ARGV[i]
  local box = ARGV[1] .. chat
  local known = redis.call('HEXISTS', ARGV[2] .. chat, ARGV[7]) + redis.call('HEXISTS', ARGV[3] .. chat, ARGV[7])
  if known == 0 and redis.call('HEXISTS', KEYS[2], chat) == 1 and redis.call('HSETNX', box, ARGV[7], ARGV[8]) == 1 then
    redis.call('HSETNX', KEYS[3], chat, ARGV[9])
    redis.call('ZADD', KEYS[1], 'LT', ARGV[4], chat)
    fresh = fresh + 1
  end
end
if fresh > 0 then
  local ends = string.format('%.0f', tonumber(ARGV[4]) + 2 * ARGV[5])  -- named for longer than it lives: whoever leaves must find it
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[4])
  redis.call('ZADD', KEYS[4], ends, ARGV[6])
end
return fresh
