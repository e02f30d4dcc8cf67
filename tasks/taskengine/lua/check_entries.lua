-- check_entries: whether some entries of one index are what a record asks for; on demand, removes those that are not.
--
-- Only what should not be there is told: check_jobs tells what is missing or at the wrong place.
--
-- Returns  rows of key, member, job, expected, found, outcome
-- Writes   lane, lanes, queues, ready, heads, wake, parked, parked_keys, waiting, leases, keyed, finished, failed, expiring, schedule_jobs, parked_jobs, tagged, schedules, dependents, bulking, bulks, failures, resolving; nothing unless it is to mend
--@include keys clock jobs metrics failures moves limits remove wanted mending

local mend = ARGV[1] -- "1" to remove what should not be there, "0" only to look
local kind = ARGV[2] -- str  what kind of index it is: the first part of its name
local name = ARGV[3] -- str  the rest of its name, "" when there is only one
local rows = 4       -- ARGV from here: members

local key = prefix .. kind .. (name ~= "" and ":" .. name or "")
local SETS = { lanes = true, queues = true, keyed = true, parked_keys = true }
local queue, task = string.match(name, "^(.-):(.*)$") -- of ready and lane; of keyed and parked: task and concurrency key

local function job_wants(id)
  local job = load_job(id)
  if not job then return redis.call("EXISTS", job_key(id)) == 1 end
  local rest = load_rest(id)
  if flaw_of(job, rest) then return true end -- nobody can say: check_jobs names the record
  for _, entry in ipairs(wanted_entries(job, rest)) do
    if entry.key == key and entry.member == id then return true end
  end
  return false
end

local wants = {}
function wants.heads(its_task) return redis.call("EXISTS", ready_key(name, its_task)) == 1 end
function wants.lanes(lane)
  local its_queue, its_task = string.match(lane, "^(.-):(.*)$")
  return its_queue and not lane_is_empty(its_queue, its_task)
end
function wants.queues(its_queue)
  for _, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do
    if string.sub(lane, 1, #its_queue + 1) == its_queue .. ":" then return true end
  end
end
function wants.parked_keys(its_key) return redis.call("EXISTS", parked_key(name, its_key)) == 1 end
function wants.schedules(schedule) return redis.call("EXISTS", schedule_key(schedule)) == 1 end
function wants.bulking(bulk) return redis.call("HGET", bulk_key(bulk), "state") == "RUNNING" end
function wants.bulks(bulk) return redis.call("EXISTS", bulk_key(bulk)) == 1 or tonumber(redis.call("ZSCORE", key, bulk)) < now - 604800000 end
-- A group is forgotten after a month, and its entry when the next one comes.
function wants.failures(group)
  return redis.call("EXISTS", failure_key(group)) == 1 or tonumber(redis.call("ZSCORE", key, group)) < now_us - 2592000000000
end
-- What is to be done of an end: of a job in a final state, or of one that is gone, or LINK of one that waits.
function wants.resolving(step)
  local what = string.match(step, "^(%u+):.")
  return what and (FINAL[what] or what == "GONE" or what == "LINK")
end
function wants.dependents(id)
  local job = redis.call("HMGET", job_key(id), "state", "blockers")
  return job[1] == "SCHEDULED" and tonumber(job[2] or 0) > 0 and redis.call("LPOS", dependencies_key(id), name) and true
end

local function take_out(member)
  redis.call(SETS[kind] and "SREM" or "ZREM", key, member)
  if kind == "ready" then refresh_head(queue, task) end
  if kind == "keyed" then unpark(queue, task) end
  if kind == "parked" and redis.call("EXISTS", key) == 0 then redis.call("SREM", parked_keys_key(queue), task) end
  if kind == "lane" then forget_empty_lane(queue, string.match(task, "^(.*):")) end
end

for i = rows, #ARGV do
  local member = ARGV[i]
  local found = look_up(key, member, SETS[kind])
  if found and not (wants[kind] or job_wants)(member) then
    if mend == "1" then take_out(member) end
    local job = (not wants[kind] or kind == "dependents") and member or ""
    tell(key, member, job, "absent", found == true and "there" or at(found), outcome_of())
  end
end
return told
