-- Counts the alerts behind a sink's cursor. KEYS: cursors, alerts. ARGV: sink, how far to count.
-- Returns nil when the sink has no cursor. Counted here, so that the alerts themselves stay on the server.

local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return false end
return #redis.call('XRANGE', KEYS[2], '(' .. known, '+', 'COUNT', ARGV[2])
