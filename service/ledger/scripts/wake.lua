-- Writes a chat's record, and has its pending rows looked at anew: what it wants may have changed. KEYS: due, chats, box.
-- ARGV: chat, record, now (ms).

redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('ZADD', KEYS[1], 'LT', ARGV[3], ARGV[1]) end
return 1
