-- check_workers: whether what is kept of workers agrees: who is here, when last heard of, who is to drain, who can
-- run and who declares what. On demand makes it so: a worker that lives registers anew when it is not known.
--
-- Returns  rows of key, member, job, expected, found, outcome
-- Writes   workers, heartbeats, draining, knows, declares; nothing unless it is to mend
--@include keys clock mending judging

local mend = ARGV[1] -- "1" to mend what disagrees, "0" only to look
local kind = ARGV[2] -- workers | heartbeats | draining | knows | declares
local name = ARGV[3] -- str  a worker, of knows and declares; else ""
local rows = 4       -- ARGV from here: workers; of declares the names of schedules, of knows those of tasks

local workers_key, heartbeats_key = prefix .. "workers", prefix .. "heartbeats"
local key = prefix .. kind .. (name ~= "" and ":" .. name or "")

local function is_here(worker) return redis.call("ZSCORE", heartbeats_key, worker) and true or false end
local function is_known(worker) return is_here(worker) or redis.call("HEXISTS", workers_key, worker) == 1 end
local function say(member, expected, found, change)
  if mend == "1" then change() end
  tell(key, member, "", expected, found, outcome_of())
end
local function forget(worker)
  redis.call("HDEL", workers_key, worker)
  redis.call("ZREM", heartbeats_key, worker)
  redis.call("HDEL", draining_key, worker)
  redis.call("DEL", knows_key(worker), declares_key(worker))
end

local function check_facts(worker)
  local text = redis.call("HGET", workers_key, worker)
  if not text then return end
  if not object_of(text) then return say(worker, "facts as JSON", shown(text), function() forget(worker) end) end
  if is_here(worker) then return end
  if mend == "1" then redis.call("ZADD", heartbeats_key, now, worker) end -- it is heard of again, or forgotten soon
  tell(heartbeats_key, worker, "", "there", "absent", outcome_of())
end

local checks = { workers = check_facts }
function checks.heartbeats(worker)
  if not is_here(worker) or redis.call("HEXISTS", workers_key, worker) == 1 then return end
  say(worker, "absent", "there", function() forget(worker) end)
end
function checks.draining(worker)
  if redis.call("HEXISTS", draining_key, worker) == 0 or is_known(worker) then return end
  say(worker, "absent", "there", function() redis.call("HDEL", draining_key, worker) end)
end
function checks.declares(schedule)
  if redis.call("SISMEMBER", key, schedule) == 0 or redis.call("EXISTS", schedule_key(schedule)) == 1 then return end
  say(schedule, "absent", "there", function() redis.call("SREM", key, schedule) end)
end

if name ~= "" and redis.call("EXISTS", key) == 1 and not is_known(name) then
  say(name, "absent", "there", function() redis.call("DEL", key) end)
elseif checks[kind] then
  for i = rows, #ARGV do checks[kind](ARGV[i]) end
end
return told
