-- Counts a batch, each id once, in its own past; one step for everything the batch touches.
-- KEYS: assets, orders. ARGV: rows of wire.py, now (ms). Returns msgpack [positions of the orders counted now, readings
-- as in read.lua].

local rows = cmsgpack.unpack(ARGV[1])
local now = tonumber(ARGV[2])
local VENUE, SYMBOL, ASSET, SIDE, UNITS, AT, ID = 1, 2, 3, 4, 7, 8, 10

local function plus(tallies, name, tally)
  local known = tallies[name]
  if known then
    known[1], known[2] = known[1] + tally[1], known[2] + tally[2]
    known[3], known[4] = known[3] + tally[3], known[4] + tally[4]
  else
    tallies[name] = {tally[1], tally[2], tally[3], tally[4]}
  end
end

-- How long to keep what belongs to a slot: from now on, or from its end when that is still to come.
local function ttl(keep, slot, width)
  return keep + max(0, (slot + 1) * width - now)
end

-- One set per venue and stretch of venue time; ids of one venue are its own.
local function by_seen_set()
  local sets = {}
  for index, row in ipairs(rows) do
    local slot = floor(row[AT] / SEEN_WIDTH)
    local key = KEY.seen .. row[VENUE] .. ':' .. slot
    local set = sets[key]
    if not set then
      set = {slot = slot, ids = {}, indexes = {}}
      sets[key] = set
    end
    set.ids[#set.ids + 1], set.indexes[#set.indexes + 1] = row[ID], index
  end
  return sets
end

local function mark_unseen(key, set, unseen)
  local fresh, once = {}, {}
  slices(set.ids, function(from, ...)
    for offset, known in ipairs(call('SMISMEMBER', key, ...)) do
      local at = from + offset - 1
      local id = set.ids[at]
      if known == 0 and not once[id] then
        once[id], unseen[set.indexes[at]] = true, true
        fresh[#fresh + 1] = id
      end
    end
  end)
  if #fresh == 0 then return end
  slices(fresh, function(_, ...) call('SADD', key, ...) end)
  call('PEXPIRE', key, ttl(SEEN_KEEP, set.slot, SEEN_WIDTH))
end

local function take_new()
  local unseen, new, positions = {}, {}, {}
  for key, set in pairs(by_seen_set()) do mark_unseen(key, set, unseen) end
  for index, row in ipairs(rows) do
    if unseen[index] then new[#new + 1], positions[#positions + 1] = row, index - 1 end
  end
  return new, positions
end

local function name_of(row)
  return row[VENUE] .. '|' .. row[SYMBOL] .. '|' .. row[SIDE]
end

-- The largest order: most units, then the earliest, then by name, so that the way it came does not matter.
local function beats(units, at, name, than_units, than_at, than_name)
  if units ~= than_units then return units > than_units end
  if at ~= than_at then return at < than_at end
  return name < than_name
end

local function note_largest(largest, asset, row)
  local known = largest[asset]
  if not known or row[UNITS] >= known[UNITS] and
      beats(row[UNITS], row[AT], name_of(row), known[UNITS], known[AT], name_of(known)) then
    largest[asset] = row
  end
end

-- What happened in one slot: tallies of "asset|venue|symbol" and of each asset with ALL, the largest row of each asset.
local function slot_of(slots, slot)
  local one = slots[slot]
  if not one then
    one = {fields = {}, assets = {}, largest = {}}
    slots[slot] = one
  end
  return one
end

local function by_tick(new)
  local ticks = {}
  for _, row in ipairs(new) do
    local one = slot_of(ticks, floor(row[AT] / TICK))
    local asset, long = row[ASSET], row[SIDE] == 'l'
    local tally = {long and row[UNITS] or 0, long and 0 or row[UNITS], long and 1 or 0, long and 0 or 1}
    plus(one.fields, asset .. '|' .. row[VENUE] .. '|' .. row[SYMBOL], tally)
    plus(one.assets, asset, tally)
    if asset ~= ALL then plus(one.assets, ALL, tally) end
    note_largest(one.largest, asset, row)
  end
  return ticks
end

local function roll_up(ticks, width)
  local slots = {}
  for tick, one in pairs(ticks) do
    local wide = slot_of(slots, floor(tick * TICK / width))
    for field, tally in pairs(one.fields) do plus(wide.fields, field, tally) end
    for asset, tally in pairs(one.assets) do plus(wide.assets, asset, tally) end
    for asset, row in pairs(one.largest) do note_largest(wide.largest, asset, row) end
  end
  return slots
end

-- Adds tallies to the fields of a hash. A field that is new renews the life of the key.
local function merge(key, tallies, keep)
  local names, values, fresh = {}, {}, false
  for name in pairs(tallies) do names[#names + 1] = name end
  for i, stored in ipairs(stored_of(key, names)) do
    local tally = tallies[names[i]]
    if stored then add_stored(tally, 1, stored) else fresh = true end
    values[2 * i - 1], values[2 * i] = names[i], pack(TALLY, unpack(tally))
  end
  slices(values, function(_, ...) call('HSET', key, ...) end)
  if fresh then call('PEXPIRE', key, keep) end
end

local function stands(stored, row)
  if not stored then return false end
  local units, at = unpack_tally('<dd', stored)
  return not beats(row[UNITS], row[AT], name_of(row), units, at, stored:sub(17))
end

-- Fields ">asset" of a breakdown: units, time, then "venue|symbol|side".
local function merge_largest(key, largest)
  local names, wanted, values = {}, {}, {}
  for asset, row in pairs(largest) do names[#names + 1], wanted[#wanted + 1] = '>' .. asset, row end
  for i, stored in ipairs(stored_of(key, names)) do
    local row = wanted[i]
    if not stands(stored, row) then
      values[#values + 1] = names[i]
      values[#values + 1] = pack('<dd', row[UNITS], row[AT]) .. name_of(row)
    end
  end
  slices(values, function(_, ...) call('HSET', key, ...) end)
end

local function store(ticks)
  for _, width in ipairs(WIDTHS) do
    for slot, one in pairs(roll_up(ticks, width)) do
      local name = width / 1000 .. ':' .. slot
      merge(KEY.bucket .. name, one.assets, ttl(BUCKET_KEEP[width], slot, width))
      merge(KEY.detail .. name, one.fields, ttl(DETAIL_KEEP[width], slot, width))
      merge_largest(KEY.detail .. name, one.largest)
    end
  end
end

-- Orders older or later than a window leave its sum alone: they wait in their bucket or are its past.
local function count(all, moved, ticks)
  for tick, one in pairs(ticks) do
    for asset, tally in pairs(one.assets) do
      local sums = all[asset]
      moved[asset] = true
      for i, window in ipairs(WINDOWS) do
        local start, stop = reach(window, sums.tick)
        if start <= tick * TICK and tick * TICK < stop then plus(sums, i, tally) end
      end
    end
  end
end

local function touched()
  local assets, known = {ALL}, {[ALL] = true}
  for _, row in ipairs(rows) do
    if not known[row[ASSET]] then
      assets[#assets + 1], known[row[ASSET]] = row[ASSET], true
    end
  end
  return assets
end

local function remember(new)
  if #new == 0 then return end
  local latest, scores = {}, {}
  for _, row in ipairs(new) do latest[row[ASSET]] = max(latest[row[ASSET]] or row[AT], row[AT]) end
  for asset, at in pairs(latest) do scores[#scores + 1], scores[#scores + 2] = at, asset end
  slices(scores, function(_, ...) call('ZADD', KEYS[1], 'GT', ...) end)
  local oldest = string.format('%.0f', call('TIME')[1] * 1000 - ORDERS_KEEP)
  local blob = #new == #rows and ARGV[1] or cmsgpack.pack(new)
  call('XADD', KEYS[2], 'MINID', '~', oldest, '*', 'orders', blob)
end

local assets = touched()
local all, moved = sums_at(assets, floor(now / TICK)) -- before the new orders reach the buckets
local new, positions = take_new()
local ticks = by_tick(new)
count(all, moved, ticks)
store(ticks)
remember(new)
return cmsgpack.pack({positions, tell(assets, all, moved)})
