-- count_found_jobs: how many jobs of a filter there are among the next ones, by looking at each.
--
-- Returns  {how many it found, how many it looked at, score and id of the last one when there are more behind it
--          else "" and ""}
-- Writes   nothing
--@include keys clock jobs moves pages sources filters

local filter  = ARGV[1]           -- json of taskengine/listing.py
local order   = ARGV[2]           -- CREATED_AT | RUN_AT | FINISHED_AT | PRIORITY
local sources = ARGV[3]           -- str  where to read it from, with commas between: the smallest is taken
local score   = ARGV[4]           -- int  begin behind this score; "" for the start
local id      = ARGV[5]           -- str  and behind this id
local records = tonumber(ARGV[6]) -- int  to look at, at the most
local bytes   = tonumber(ARGV[7]) -- int  of text to look at, roughly

local f = cjson.decode(filter)
local from = score ~= "" and { score = tonumber(score), id = id } or nil
local found = 0
local looked, last, more = search(smallest(sources, f, order), from, false, false, matcher(f), records, bytes,
  function() found = found + 1 end)
return { found, looked, more and int(last.score) or "", more and last.id or "" }
