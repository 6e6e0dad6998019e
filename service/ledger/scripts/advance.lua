-- Moves a sink's cursor, never back: a late word of an old leader must not bring alerts twice. KEYS: cursors.
-- ARGV: sink, cursor.

local function parts(cursor)
  local ms, number = cursor:match('^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(number)
end

local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  local old_ms, old_number = parts(known)
  local ms, number = parts(ARGV[2])
  if ms < old_ms or ms == old_ms and number <= old_number then return end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
