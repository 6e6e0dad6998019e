-- Writes a chat's record in place of the one it was taken with; not when it has changed or gone meanwhile. KEYS: chats.
-- ARGV: chat, record as it was taken, new record. Returns 1 when it was written.

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
