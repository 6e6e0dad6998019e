-- The arithmetic of buckets.py on the server: chunks of buckets, and running sums per asset that move with the clock.
-- Comes before add.lua and read.lua. KEY, TICK, CHUNK, WIDTHS, WINDOWS and the *_KEEP tables are written in front of it.

local floor, min, max, concat = math.floor, math.min, math.max, table.concat
local call, pack, unpack_tally = redis.call, struct.pack, struct.unpack
local TALLY = '<dddd'
local SUMS = '<d' .. string.rep('dddd', #WINDOWS)
local SLICE = 1000 -- arguments handed to one command: Lua's unpack stops at some thousands
local FEW = 12 -- more buckets than this of one chunk are read with all their neighbours

local function plus(tallies, name, tally)
  local known = tallies[name]
  if known then
    known[1], known[2] = known[1] + tally[1], known[2] + tally[2]
    known[3], known[4] = known[3] + tally[3], known[4] + tally[4]
  else
    tallies[name] = {tally[1], tally[2], tally[3], tally[4]}
  end
end

local function bucket_key(asset, width, chunk)
  return KEY.bucket .. width / 1000 .. ':' .. asset .. ':' .. chunk
end

local function add_stored(sum, sign, stored)
  local long, short, long_count, short_count = unpack_tally(TALLY, stored)
  sum[1], sum[2] = sum[1] + sign * long, sum[2] + sign * short
  sum[3], sum[4] = sum[3] + sign * long_count, sum[4] + sign * short_count
end

local function add_few(sum, sign, key, first, last)
  local slots = {}
  for slot = first, last do slots[#slots + 1] = slot end
  for _, stored in ipairs(call('HMGET', key, unpack(slots))) do
    if stored then add_stored(sum, sign, stored) end
  end
end

local function add_many(sum, sign, key, first, last)
  local flat = call('HGETALL', key)
  for i = 1, #flat, 2 do
    local slot = tonumber(flat[i])
    if first <= slot and slot <= last then add_stored(sum, sign, flat[i + 1]) end
  end
end

-- Adds the buckets first..last to sum, or takes them away.
local function add_range(sum, sign, asset, width, first, last)
  while first <= last do
    local chunk = floor(first / CHUNK)
    local stop = min(last, chunk * CHUNK + CHUNK - 1)
    local add = stop - first < FEW and add_few or add_many
    add(sum, sign, bucket_key(asset, width, chunk), first, stop)
    first = stop + 1
  end
end

local function first_slot(window, tick)
  return floor(tick * TICK / window.width) - window.slots + 1
end

local function last_slot(window, tick)
  return floor(tick * TICK / window.width) + window.ahead
end

-- sums = {tick = ..., [1] = {long, short, long count, short count}, ...}, one tally per window; nil when never stored.
local function load_sums(asset)
  local stored = call('GET', KEY.sums .. asset)
  if not stored then return nil end
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

local function store_sums(asset, sums)
  call('SET', KEY.sums .. asset, pack(SUMS, unpack(flatten(sums))), 'PX', SUMS_KEEP)
end

local function advance_window(tally, window, asset, before, tick)
  local first, last = first_slot(window, tick), last_slot(window, tick)
  if first - first_slot(window, before) >= window.slots then
    for i = 1, 4 do tally[i] = 0 end
    add_range(tally, 1, asset, window.width, first, last)
    return
  end
  if tally[3] + tally[4] > 0 then
    add_range(tally, -1, asset, window.width, first_slot(window, before), first - 1)
  end
  add_range(tally, 1, asset, window.width, last_slot(window, before) + 1, last)
end

-- Sums of an asset at tick or, when they were already ahead, as they stand; and whether they must be stored.
local function sums_at(asset, tick)
  local sums = load_sums(asset)
  local known = sums ~= nil
  if not known then
    sums = {tick = -1e15} -- so long ago that every window is added up afresh
    for i = 1, #WINDOWS do sums[i] = {0, 0, 0, 0} end
  elseif sums.tick >= tick then
    return sums, false
  end
  for i, window in ipairs(WINDOWS) do advance_window(sums[i], window, asset, sums.tick, tick) end
  sums.tick = tick
  return sums, known
end
