-- Counts a batch, each id once, in its own past; one step for everything the batch touches.
-- KEYS: assets, orders. ARGV: rows of wire.py, now (ms). Returns msgpack [positions of the
-- orders counted now, readings as in read.lua].

local rows = cmsgpack.unpack(ARGV[1])
local now = tonumber(ARGV[2])
local tick = floor(now / TICK)
local VENUE, SYMBOL, ASSET, SIDE, UNITS, AT, ID = 1, 2, 3, 4, 7, 8, 10

-- How long to keep what happened in a bucket of the future or the present: from its end on.
local function ttl(keep, slot, width)
  return keep + max(0, (slot + 1) * width - now)
end

local function slices(list, run)
  for from = 1, #list, SLICE do run(from, unpack(list, from, min(from + SLICE - 1, #list))) end
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

-- Per tick: field "asset|venue|symbol" -> tally, and the largest row of each asset.
local function by_tick(new)
  local ticks, owner = {}, {}
  for _, row in ipairs(new) do
    local slot = floor(row[AT] / TICK)
    local one = ticks[slot]
    if not one then
      one = {fields = {}, largest = {}}
      ticks[slot] = one
    end
    local field = row[ASSET] .. '|' .. row[VENUE] .. '|' .. row[SYMBOL]
    local tally = one.fields[field]
    if not tally then
      tally = {0, 0, 0, 0}
      one.fields[field], owner[field] = tally, row[ASSET]
    end
    local side = row[SIDE] == 'l' and 1 or 2
    tally[side], tally[side + 2] = tally[side] + row[UNITS], tally[side + 2] + 1
    note_largest(one.largest, row[ASSET], row)
  end
  return ticks, owner
end

-- Adds tallies to the fields of a hash. A field that is new renews the life of the key.
local function merge(key, tallies, keep)
  local names, values, fresh = {}, {}, false
  for name in pairs(tallies) do names[#names + 1] = name end
  slices(names, function(from, ...)
    for offset, stored in ipairs(call('HMGET', key, ...)) do
      local name = names[from + offset - 1]
      if stored then add_stored(tallies[name], 1, stored) else fresh = true end
      values[#values + 1], values[#values + 2] = name, pack(TALLY, unpack(tallies[name]))
    end
  end)
  slices(values, function(_, ...) call('HSET', key, ...) end)
  if fresh then call('PEXPIRE', key, keep) end
end

-- Fields ">asset" of a breakdown: units, time, then "venue|symbol|side".
local function merge_largest(key, largest)
  for asset, row in pairs(largest) do
    local field, name = '>' .. asset, name_of(row)
    local stored = call('HGET', key, field)
    local units, at, rest
    if stored then
      units, at = unpack_tally('<dd', stored)
      rest = stored:sub(17)
    end
    if not stored or beats(row[UNITS], row[AT], name, units, at, rest) then
      call('HSET', key, field, pack('<dd', row[UNITS], row[AT]) .. name)
    end
  end
end

local function inner(tables, key)
  local found = tables[key]
  if not found then
    found = {}
    tables[key] = found
  end
  return found
end

-- Rolls ticks up to one width: slot -> its breakdown, and asset -> slot -> tally.
local function roll_up(ticks, owner, width)
  local details, buckets = {}, {}
  for slot, one in pairs(ticks) do
    local wide = floor(slot * TICK / width)
    local detail = details[wide]
    if not detail then
      detail = {fields = {}, largest = {}}
      details[wide] = detail
    end
    for field, tally in pairs(one.fields) do
      plus(detail.fields, field, tally)
      plus(inner(buckets, owner[field]), wide, tally)
      if owner[field] ~= ALL then plus(inner(buckets, ALL), wide, tally) end
    end
    for asset, row in pairs(one.largest) do note_largest(detail.largest, asset, row) end
  end
  return details, buckets
end

local function store_details(details, width)
  for slot, detail in pairs(details) do
    local key = KEY.detail .. width / 1000 .. ':' .. slot
    merge(key, detail.fields, ttl(DETAIL_KEEP[width], slot, width))
    merge_largest(key, detail.largest)
  end
end

local function store_buckets(buckets, width)
  for asset, slots in pairs(buckets) do
    local chunks, newest = {}, {}
    for slot, tally in pairs(slots) do
      local chunk = floor(slot / CHUNK)
      inner(chunks, chunk)[slot] = tally
      newest[chunk] = max(newest[chunk] or slot, slot)
    end
    for chunk, tallies in pairs(chunks) do
      merge(bucket_key(asset, width, chunk), tallies, ttl(BUCKET_KEEP[width], newest[chunk], width))
    end
  end
end

-- Orders older or later than a window leave its sum alone: they wait in their bucket or are its past.
local function count(sums, buckets, width)
  for i, window in ipairs(WINDOWS) do
    if window.width == width then
      local first, last = first_slot(window, sums.tick), last_slot(window, sums.tick)
      for slot, tally in pairs(buckets) do
        if first <= slot and slot <= last then
          for side = 1, 4 do sums[i][side] = sums[i][side] + tally[side] end
        end
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
  local time = call('TIME')
  local blob = #new == #rows and ARGV[1] or cmsgpack.pack(new)
  call('XADD', KEYS[2], 'MINID', '~', string.format('%.0f', time[1] * 1000 - ORDERS_KEEP), '*', 'orders', blob)
end

local assets = touched()
local all_sums, moved = {}, {}
for _, asset in ipairs(assets) do
  all_sums[asset], moved[asset] = sums_at(asset, tick) -- before the new orders reach the buckets
end

local new, positions = take_new()
local ticks, owner = by_tick(new)
for _, width in ipairs(WIDTHS) do
  local details, buckets = roll_up(ticks, owner, width)
  store_details(details, width)
  for asset, slots in pairs(buckets) do
    count(all_sums[asset], slots, width)
    moved[asset] = true
  end
  store_buckets(buckets, width) -- after counting: storing adds what was there to the tallies
end
remember(new)

local readings = {}
for i, asset in ipairs(assets) do
  if moved[asset] then store_sums(asset, all_sums[asset]) end
  readings[i] = {asset, flatten(all_sums[asset])}
end
return cmsgpack.pack({positions, readings})
