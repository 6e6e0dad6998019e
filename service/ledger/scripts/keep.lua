-- Keeps a bad frame, the newest first. KEYS: frames. ARGV: frame, how many stay.

redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
