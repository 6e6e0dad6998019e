-- Gives a claim back if it still stands as it was taken: a wait that was written since is nobody's to shorten. KEYS: free, due, pictures.
-- ARGV: chat, until when the claim held (ms), now (ms). Whoever looked meanwhile has put the chat off until then.

for i = 1, 3 do
  local until_ = redis.call('ZSCORE', KEYS[i], ARGV[1])
  if until_ and tonumber(until_) == tonumber(ARGV[2]) then
    redis.call('ZADD', KEYS[i], ARGV[3], ARGV[1])
  elseif i == 1 then
    return 0
  end
end
return 1
