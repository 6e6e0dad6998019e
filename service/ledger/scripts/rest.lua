-- Leaves a known chat alone until a time, or for longer if that was said before. KEYS: free, chats. ARGV: chat, until (ms).

if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
return 1
