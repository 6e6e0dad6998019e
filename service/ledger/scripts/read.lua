-- All spans of some assets. ARGV: now (ms), assets. Returns msgpack [[asset, [tick, tally of each window ...]], ...].

local tick = floor(tonumber(ARGV[1]) / TICK)
local readings = {}
for i = 2, #ARGV do
  local sums, moved = sums_at(ARGV[i], tick)
  if moved then store_sums(ARGV[i], sums) end
  readings[i - 1] = {ARGV[i], flatten(sums)}
end
return cmsgpack.pack(readings)
