-- Claims chats that may be addressed, those with words first, then those where only a picture waits. KEYS: due, pictures, free, chats.
-- ARGV: start of boxes' names, now (ms), until when the claim holds (ms), how many. Returns {chat, its record, alert and row of all that
-- is pending} of each. A claim that is not settled ends by itself: whoever held it died, and the chat is taken again.

local now, most, found = tonumber(ARGV[2]), tonumber(ARGV[4]), {}
for queue = 1, 2 do
  for _, chat in ipairs(redis.call('ZRANGEBYSCORE', KEYS[queue], '-inf', ARGV[2], 'LIMIT', 0, 4 * most)) do
    if #found >= most then break end
    local free = redis.call('ZSCORE', KEYS[3], chat)
    if free and tonumber(free) > now then
      redis.call('ZADD', KEYS[queue], free, chat)
    else
      local who = redis.call('HGET', KEYS[4], chat)
      local rows = redis.call('HGETALL', ARGV[1] .. chat)
      if not who or #rows == 0 then
        redis.call('ZREM', KEYS[queue], chat)
      else
        redis.call('ZADD', KEYS[3], ARGV[3], chat)
        found[#found + 1] = {chat, who, rows}
      end
    end
  end
end
return found
