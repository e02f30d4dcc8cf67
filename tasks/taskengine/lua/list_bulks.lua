-- list_bulks: changes to many jobs, the newest first.
--
-- Returns  a list: for each its id and its hash as field, value, ...
-- Writes   nothing
--@include keys

local running = ARGV[1] == "1" -- bool only those under way
local id      = ARGV[2]        -- str  only this one; "" for all

local ids = id ~= "" and { id } or redis.call("ZREVRANGE", running and bulking_key or bulks_key, 0, -1)
local found = {}
for _, one in ipairs(ids) do
  local fields = redis.call("HGETALL", bulk_key(one))
  if #fields > 0 then found[#found + 1] = { one, fields } end
end
return found
