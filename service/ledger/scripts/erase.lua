-- Forgets a chat: every key and field that carries it. KEYS: due, pictures, free, chats, episodes, then box and done of each week.
-- ARGV: chat, start of the names of what was told.

local gone = redis.call('HDEL', KEYS[4], ARGV[1])
for i = 1, 3 do redis.call('ZREM', KEYS[i], ARGV[1]) end
for i = 6, #KEYS do redis.call('DEL', KEYS[i]) end
for _, episode in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
  redis.call('HDEL', ARGV[2] .. episode, ARGV[1])
end
return gone
