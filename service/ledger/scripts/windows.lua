-- The arithmetic of buckets.py on the server: running sums per asset that move with the clock over buckets of all assets.
-- Comes before add.lua and read.lua. KEY, TICK, WIDTHS, WINDOWS and the *_KEEP tables are written in front of it.

local floor, min, max = math.floor, math.min, math.max
local call, pack, unpack_tally = redis.call, struct.pack, struct.unpack
local TALLY = '<dddd'
local SUMS = '<d' .. string.rep('dddd', #WINDOWS)
local SLICE = 1000 -- arguments handed to one command: Lua's unpack stops at some thousands

local function slices(list, run)
  for from = 1, #list, SLICE do run(from, unpack(list, from, min(from + SLICE - 1, #list))) end
end

-- What a hash holds for each name, false where it holds nothing.
local function stored_of(key, names)
  local found = {}
  slices(names, function(from, ...)
    for offset, stored in ipairs(call('HMGET', key, ...)) do found[from + offset - 1] = stored end
  end)
  return found
end

local function add_stored(tally, sign, stored)
  local long, short, long_count, short_count = unpack_tally(TALLY, stored)
  tally[1], tally[2] = tally[1] + sign * long, tally[2] + sign * short
  tally[3], tally[4] = tally[3] + sign * long_count, tally[4] + sign * short_count
end

-- The widest bucket that starts here and ends in time, as in cover() of buckets.py.
local function widest(start, stop)
  for i = #WIDTHS, 2, -1 do
    if start % WIDTHS[i] == 0 and start + WIDTHS[i] <= stop then return WIDTHS[i] end
  end
  return WIDTHS[1]
end

-- Adds what the assets' buckets hold between two moments to their sums of one window, or takes it away.
local function add_range(group, window, sign, start, stop)
  while start < stop do
    local width = widest(start, stop)
    local key = KEY.bucket .. width / 1000 .. ':' .. start / width
    for i, stored in ipairs(stored_of(key, group.assets)) do
      if stored then add_stored(group.sums[i][window], sign, stored) end
    end
    start = start + width
  end
end

-- First moment inside a window when the clock stands in tick, and the first moment after it.
local function reach(window, tick)
  local now = floor(tick * TICK / window.width) * window.width
  return now + window.width - window.span, now + window.width + window.ahead
end

-- Moves the sums of assets that all stand at the tick `before`.
local function advance(group, before, tick)
  for i, window in ipairs(WINDOWS) do
    local start, stop = reach(window, tick)
    local old_start, old_stop = reach(window, before)
    if start - old_start >= window.span then
      for _, sums in ipairs(group.sums) do sums[i] = {0, 0, 0, 0} end
      add_range(group, i, 1, start, stop)
    else
      add_range(group, i, -1, old_start, start)
      add_range(group, i, 1, old_stop, stop)
    end
  end
  for _, sums in ipairs(group.sums) do sums.tick = tick end
end

-- {tick = ..., [1] = {long, short, long count, short count}, ...}: one tally per window.
local function parse(stored)
  if not stored then
    local sums = {tick = -1e12, unknown = true} -- so long ago that every window is added up afresh
    for i = 1, #WINDOWS do sums[i] = {0, 0, 0, 0} end
    return sums
  end
  local flat = {unpack_tally(SUMS, stored)}
  local sums = {tick = flat[1]}
  for i = 1, #WINDOWS do
    local at = 4 * i - 2
    sums[i] = {flat[at], flat[at + 1], flat[at + 2], flat[at + 3]}
  end
  return sums
end

local function flatten(sums)
  local flat = {sums.tick}
  for _, tally in ipairs(sums) do
    for i = 1, 4 do flat[#flat + 1] = tally[i] end
  end
  return flat
end

-- Sums of each asset at tick or, where they were already ahead, as they stand. `moved` names those to be stored.
local function sums_at(assets, tick)
  local all, groups, moved = {}, {}, {}
  for i, stored in ipairs(stored_of(KEY.sums, assets)) do
    local sums = parse(stored)
    all[assets[i]] = sums
    if sums.tick < tick then
      moved[assets[i]] = not sums.unknown -- nothing is kept for an asset nobody ever saw
      local group = groups[sums.tick] or {assets = {}, sums = {}}
      groups[sums.tick] = group
      group.assets[#group.assets + 1], group.sums[#group.sums + 1] = assets[i], sums
    end
  end
  for before, group in pairs(groups) do advance(group, before, tick) end
  return all, moved
end

-- Stores what moved; returns all, in the order of assets, as [asset, [tick, tallies ...]].
local function tell(assets, all, moved)
  local fields, readings = {}, {}
  for i, asset in ipairs(assets) do
    local flat = flatten(all[asset])
    readings[i] = {asset, flat}
    if moved[asset] then fields[#fields + 1], fields[#fields + 2] = asset, pack(SUMS, unpack(flat)) end
  end
  slices(fields, function(_, ...) call('HSET', KEY.sums, ...) end)
  return readings
end
