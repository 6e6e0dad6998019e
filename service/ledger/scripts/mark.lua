-- Sets or clears heard time. KEYS: bitmaps. ARGV: life of a bitmap (ms), 1 or 0, then first bit and bit after the last
-- for each of them.

for i, key in ipairs(KEYS) do
  for bit = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2]) - 1 do redis.call('SETBIT', key, bit, ARGV[2]) end
  redis.call('PEXPIRE', key, ARGV[1])
end
