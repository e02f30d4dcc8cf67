-- Jobs in the order of the zsets that list them, merged: the cost is in zsets and in jobs looked at, not in
-- jobs there are.
--
-- `lists` has `keys`, the zsets, and the scores that count: from `low` on, and below `high`. `tied`: several
-- entries may have one score, and are ordered by id. `overlap`: a job may be in several of them. `sorted`: it is
-- no zset, but this list of id, score, id, score, ... A place is { score = number, id = text }, without an id ("")
-- where no two have one score.

local function set_of(list)
  if not list then return nil end
  local set = {}
  for _, word in ipairs(list) do set[word] = true end
  return set
end

local function edge(number, exclusive)
  if number == math.huge then return "+inf" end
  if number == -math.huge then return "-inf" end
  return (exclusive and "(" or "") .. int(number)
end

-- As zsets order members; `<` would ask the server's locale.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- The rank of the first entry that is not before a place, and whether it is at that place.
local function rank_of(key, place)
  local low = redis.call("ZCOUNT", key, "-inf", edge(place.score, true))
  local high = low + redis.call("ZCOUNT", key, edge(place.score), edge(place.score))
  while low < high do
    local middle = math.floor((low + high) / 2)
    local there = redis.call("ZRANGE", key, middle, middle)[1]
    if there == place.id then return middle, true end
    if is_before(there, place.id) then low = middle + 1 else high = middle end
  end
  return low, false
end

local function slice_by_rank(key, from, down, inclusive, count)
  local rank, found = rank_of(key, from)
  if not down then
    local first = rank + (found and not inclusive and 1 or 0)
    return redis.call("ZRANGE", key, first, first + count - 1, "WITHSCORES")
  end
  local last = rank - (found and inclusive and 0 or 1)
  if last < 0 then return {} end
  local first = redis.call("ZCARD", key) - 1 - last
  return redis.call("ZREVRANGE", key, first, first + count - 1, "WITHSCORES")
end

local function slice_sorted(entries, from, down, inclusive)
  local part = {}
  for at = down and #entries - 1 or 1, down and 1 or #entries - 1, down and -2 or 2 do
    local id, score = entries[at], entries[at + 1]
    local same = from and score == from.score and (id == from.id or from.id == "")
    local beyond = not from or same and inclusive
    if from and not same then
      local ahead = score < from.score or score == from.score and is_before(id, from.id)
      beyond = ahead == down
    end
    if beyond then
      part[#part + 1] = id
      part[#part + 1] = score
    end
  end
  return part
end

-- Up to `count` ids and scores beyond a place (nil for the end), downwards or upwards; that place too when
-- `inclusive`.
local function slice(lists, key, from, down, inclusive, count)
  if lists.sorted then return slice_sorted(lists.sorted, from, down, inclusive) end
  if from and (down and from.score >= lists.high or not down and from.score < lists.low) then from = nil end
  if from and lists.tied then
    local part = slice_by_rank(key, from, down, inclusive, count)
    for at = 2, #part, 2 do
      local score = tonumber(part[at])
      if score < lists.low or score >= lists.high then return { unpack(part, 1, at - 2) } end
    end
    return part
  end
  local low, high = edge(lists.low), edge(lists.high, true)
  if down then
    if from then high = edge(from.score, not inclusive) end
    return redis.call("ZREVRANGEBYSCORE", key, high, low, "WITHSCORES", "LIMIT", 0, count)
  end
  if from then low = edge(from.score, not inclusive) end
  return redis.call("ZRANGEBYSCORE", key, low, high, "WITHSCORES", "LIMIT", 0, count)
end

local function size_of(lists)
  if lists.sorted then return #lists.sorted / 2 end
  local size, all = 0, lists.low == -math.huge and lists.high == math.huge
  for _, key in ipairs(lists.keys) do
    size = size + (all and redis.call("ZCARD", key) or redis.call("ZCOUNT", key, edge(lists.low), edge(lists.high, true)))
  end
  return size
end

-- Visits the jobs beyond a place one after the other until `visit(id, score)` returns false. `expected` is
-- how many that will be at the most.
local function each_job(lists, from, down, inclusive, expected, visit)
  local function ahead(a, b)
    if a.score ~= b.score then return (a.score > b.score) == down end
    return a.id ~= b.id and is_before(b.id, a.id) == down
  end
  local function set_head(head)
    head.id, head.score = head.entries[head.at], tonumber(head.entries[head.at + 1])
    return head
  end
  local heads, seen = {}, nil
  for _, key in ipairs(lists.keys) do
    local first = slice(lists, key, from, down, inclusive, 1)
    if first[1] then heads[#heads + 1] = set_head({ key = key, entries = first, at = 1 }) end
  end
  table.sort(heads, ahead)
  -- Only the zsets with the best heads can have a share.
  local merged, chunk = {}, math.max(3, math.ceil(2 * expected / math.max(#heads, 1)))
  for i = 1, lists.overlap and #heads or math.min(#heads, expected + 1) do merged[i] = heads[i] end
  while #merged > 0 do
    local best = 1
    for i = 2, #merged do
      if ahead(merged[i], merged[best]) then best = i end
    end
    local head = merged[best]
    if head.id ~= seen and visit(head.id, head.score) == false then return end
    seen = head.id
    head.at = head.at + 2
    if not head.entries[head.at] then
      local place = { id = seen, score = head.score }
      head.entries, head.at = slice(lists, head.key, place, down, false, chunk), 1
    end
    if not set_head(head).id then table.remove(merged, best) end
  end
end
