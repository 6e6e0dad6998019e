-- Claims chats that are due and may be addressed. KEYS: due, free, chats. ARGV: start of boxes' names, now (ms), until when the claim
-- holds (ms), how many. Returns {chat, its record, its pending rows} of each. A claim that is not settled ends by itself: whoever held it
-- died, and the chat is taken again.

local now, found = tonumber(ARGV[2]), {}
for _, chat in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, 4 * ARGV[4])) do
  if #found >= tonumber(ARGV[4]) then break end
  local free = redis.call('ZSCORE', KEYS[2], chat)
  if free and tonumber(free) > now then
    redis.call('ZADD', KEYS[1], free, chat)
  else
    local who = redis.call('HGET', KEYS[3], chat)
    local rows = redis.call('HVALS', ARGV[1] .. chat)
    if not who or #rows == 0 then
      redis.call('ZREM', KEYS[1], chat)
    else
      redis.call('ZADD', KEYS[2], ARGV[3], chat)
      found[#found + 1] = {chat, who, rows}
    end
  end
end
return found
