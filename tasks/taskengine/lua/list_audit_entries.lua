-- list_audit_entries: a page of what operators did, newest first.
--
-- Returns  {1 when there are more beyond the page, 1 when there are some before it,
--          a list: for each entry {id, field, value, ...}}
-- Writes   nothing
--@include keys

local backward = ARGV[1] == "1"    -- bool the page that ends at the cursor, read from there
local cursor   = ARGV[2]           -- str  id of the entry that it begins behind; "" for the start
local limit    = tonumber(ARGV[3]) -- int

local function entries(onward, inclusive, count)
  local edge = cursor ~= "" and (inclusive and cursor or "(" .. cursor)
  if onward ~= backward then return redis.call("XREVRANGE", audit_key, edge or "+", "-", "COUNT", count) end
  return redis.call("XRANGE", audit_key, edge or "-", "+", "COUNT", count)
end

local page = entries(true, false, limit + 1)
local more = #page > limit
if more then page[#page] = nil end
local before = cursor ~= "" and #entries(false, true, 1) > 0
return { more and 1 or 0, before and 1 or 0, page }
