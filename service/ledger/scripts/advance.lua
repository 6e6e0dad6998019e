-- Moves a sink's cursor, never back: a late word of an old leader must not bring alerts twice. KEYS: cursors.
-- ARGV: sink, cursor.
-- Leaves in `moved` whether it went forward; refuse.lua stands behind it.

local function parts(cursor)
  local ms, number = cursor:match('^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(number)
end

local moved = true
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  local old_ms, old_number = parts(known)
  local ms, number = parts(ARGV[2])
  moved = ms > old_ms or ms == old_ms and number > old_number
end
if moved then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
