-- Marks live time. KEYS: bitmaps. ARGV: life of a bitmap (ms), then first bit and bit after the last for each of them.

for i, key in ipairs(KEYS) do
  for bit = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]) - 1 do redis.call('SETBIT', key, bit, 1) end
  redis.call('PEXPIRE', key, ARGV[1])
end
