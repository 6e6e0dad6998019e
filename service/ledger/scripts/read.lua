-- All spans of some assets. ARGV: now (ms), assets. Returns msgpack [[asset, [tick, tally of each window ...]], ...].

local assets = {}
for i = 2, #ARGV do assets[i - 1] = ARGV[i] end
local all, moved = sums_at(assets, floor(tonumber(ARGV[1]) / TICK))
return cmsgpack.pack(tell(assets, all, moved))
