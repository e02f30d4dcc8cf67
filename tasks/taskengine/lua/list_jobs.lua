-- list_jobs: a page of jobs in an order, exact while jobs move.
--
-- Merges the zsets that the filter is read from: the cost is in zsets and page size, not in jobs. What no zset
-- knows of the filter is looked up in the records, of so many jobs at the most.
--
-- Returns  {how many match or -1 where nothing knows, 1 when there are more beyond the page, 1 when there are some
--          before it, how many records it looked at, score and id of the last of them when the page is not full
--          because of that else "" and "", a list: for each job id, score, and its hash as field, value, ...}
-- Writes   nothing
--@include keys clock jobs moves pages sources filters

local filter   = ARGV[1]            -- json of taskengine/listing.py
local order    = ARGV[2]            -- CREATED_AT | RUN_AT | FINISHED_AT | PRIORITY
local sources  = ARGV[3]            -- str  where to read it from, with commas between: the smallest is taken
local whole    = ARGV[4]            -- str  those of them that know all of the filter, each between commas
local count_by = ARGV[5]            -- str  the source to count by; "" for none
local down     = ARGV[6] == "1"     -- bool from the greatest score on
local score    = ARGV[7]            -- int  begin behind this score; "" for the start
local id       = ARGV[8]            -- str  and behind this id
local limit    = tonumber(ARGV[9])  -- int  jobs of the page
local records  = tonumber(ARGV[10]) -- int  to look at, at the most
local bytes    = tonumber(ARGV[11]) -- int  of text to look at, roughly
local back     = ARGV[12] == "1"    -- bool look whether there are some before

local f = cjson.decode(filter)
local lists = smallest(sources, f, order)
local from = score ~= "" and { score = tonumber(score), id = id } or nil
local check = (lists.partial or not string.find(whole, "," .. lists.name .. ",", 1, true)) and matcher(f)
local total = -1
local counted = count_by ~= "" and (count_by == lists.name and lists or lists_of(count_by, f, order))
if counted and not counted.partial then total = size_of(counted) end

local rows, more, some_before = {}, false, false
local looked, last, enough = search(lists, from, down, false, check, check and records or limit + 1, bytes,
  function(job_id, its_score)
    if #rows == limit then
      more = true
      return false
    end
    rows[#rows + 1] = { job_id, int(its_score), redis.call("HGETALL", job_key(job_id)) }
  end)
if back and from then
  local _, _, unsure = search(lists, from, not down, true, check, records, bytes, function()
    some_before = true
    return false
  end)
  some_before = some_before or unsure
end
local stopped = enough and #rows < limit
return { total, (more or enough) and 1 or 0, some_before and 1 or 0, check and looked or 0,
  stopped and int(last.score) or "", stopped and last.id or "", rows }
