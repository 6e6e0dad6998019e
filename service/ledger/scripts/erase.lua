-- Forgets a chat: every key and field that carries it. KEYS: due, free, chats, episodes, then box and done of each week.
-- ARGV: chat, start of the names of what was told.

local gone = redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
for i = 5, #KEYS do redis.call('DEL', KEYS[i]) end
for _, episode in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  redis.call('HDEL', ARGV[2] .. episode, ARGV[1])
end
return gone
