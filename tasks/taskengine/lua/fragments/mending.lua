-- Disagreements between records and indexes: how they are told, and how an index is mended.

local MEND = ARGV[1] == "1"
local NOBODY = { id = "", state = "" } -- of entries that are about no one job
local told = {}

-- A row: key, member, job ("" for none), expected, found, and "" when it was only looked at, "mended", or why not.
local function tell(key, member, job, expected, found, outcome)
  told[#told + 1] = { key, member, job, expected, found, outcome }
end
local function outcome_of(refusal) return not MEND and "" or refusal or "mended" end

local function at(score) return "at " .. (tonumber(score) and math.abs(score) < math.huge and int(score) or score) end

-- What an index holds of a member: its score, true in a set, or nil; and what it is when it is no such index.
local function look_up(key, member, in_set)
  local found = redis.pcall(in_set and "SISMEMBER" or "ZSCORE", key, member)
  if type(found) == "table" and found.err then return nil, "a " .. redis.call("TYPE", key).ok end
  if in_set then return found == 1 or nil end
  return found and tonumber(found) or nil
end

local function put(entry, job)
  if entry.score == IN_A_SET then
    redis.call("SADD", entry.key, entry.member)
  elseif entry.score == ANY then
    redis.call("ZADD", entry.key, now + RESCUED_IN, entry.member)
  else
    redis.call("ZADD", entry.key, entry.score, entry.member)
  end
  if job.state == "QUEUED" and entry.key == ready_key(job.queue, job.task) then
    refresh_head(job.queue, job.task)
    wake(job.queue)
  end
end

-- Compares an entry with what is there.
local function compare(entry, job)
  local found, other = look_up(entry.key, entry.member, entry.score == IN_A_SET)
  local expected = (entry.score == IN_A_SET or entry.score == ANY) and "there" or at(entry.score)
  if other then
    return tell(entry.key, entry.member, job.id, expected, other, outcome_of("no index can be mended that is " .. other))
  end
  if found and (found == entry.score or entry.score == IN_A_SET or entry.score == ANY) then return end
  if MEND then put(entry, job) end
  tell(entry.key, entry.member, job.id, expected, not found and "absent" or at(found), outcome_of())
end
