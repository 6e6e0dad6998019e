-- Keeps why a sink will never take an alert. KEYS: cursors, refused. ARGV: sink, cursor, refusal, how many stay.
-- Stands behind advance.lua: what is said again, or late by an old leader, did not move the cursor and is not kept.

if moved then redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[4], '*', 'refusal', ARGV[3]) end
