-- Breaks a window down. KEYS: the detail hashes that cover it. ARGV: asset, name of the whole market, symbols wanted.
-- Returns msgpack [venues, symbols, assets, largest]: rows [name, tally] largest first, largest [units, at, name] or nil.

local asset, whole, top = ARGV[1], ARGV[1] == ARGV[2], tonumber(ARGV[3])
local unpack_tally = struct.unpack
local prefix = asset .. '|'
local totals, mine = {}, {}
local best

-- Which fields belong to the asset asked for; the same fields come again in every hash.
local function belongs(field)
  local known = mine[field]
  if known == nil then
    known = whole or field:sub(1, #prefix) == prefix
    mine[field] = known
  end
  return known
end

local function note_tally(field, stored)
  local long, short, long_count, short_count = unpack_tally('<dddd', stored)
  local tally = totals[field]
  if tally then
    tally[1], tally[2] = tally[1] + long, tally[2] + short
    tally[3], tally[4] = tally[3] + long_count, tally[4] + short_count
  else
    totals[field] = {long, short, long_count, short_count}
  end
end

-- Most units, then the earliest, then by name, as in add.lua.
local function note_largest(field, stored)
  if not whole and field:sub(2) ~= asset then return end
  local units, at = unpack_tally('<dd', stored)
  local name = stored:sub(17)
  if best then
    if units < best[1] then return end
    if units == best[1] and (at > best[2] or at == best[2] and name >= best[3]) then return end
  end
  best = {units, at, name}
end

for _, key in ipairs(KEYS) do
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    local field = flat[i]
    if field:byte() == 62 then -- ">"
      note_largest(field, flat[i + 1])
    elseif belongs(field) then
      note_tally(field, flat[i + 1])
    end
  end
end

local function into(groups, name, tally)
  local group = groups[name]
  if not group then
    group = {0, 0, 0, 0}
    groups[name] = group
  end
  for i = 1, 4 do group[i] = group[i] + tally[i] end
end

local function ranked(groups, most)
  local rows = {}
  for name, tally in pairs(groups) do rows[#rows + 1] = {name, tally} end
  table.sort(rows, function(a, b)
    local left, right = a[2][1] + a[2][2], b[2][1] + b[2][2]
    if left ~= right then return left > right end
    return a[1] < b[1]
  end)
  for i = #rows, most + 1, -1 do rows[i] = nil end
  return rows
end

local venues, symbols, assets = {}, {}, {}
for field, tally in pairs(totals) do
  local coin, venue, symbol = field:match('^([^|]*)|([^|]*)|(.*)$')
  into(venues, venue, tally)
  into(symbols, symbol, tally)
  if whole then into(assets, coin, tally) end
end
return cmsgpack.pack({ranked(venues, 1000), ranked(symbols, top), ranked(assets, 10000), best or false})
