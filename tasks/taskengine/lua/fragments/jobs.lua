-- What moves need to know of a job. Absent fields have the value that most jobs have.

local STATES = { "SCHEDULED", "QUEUED", "RUNNING", "RETRYING", "COMPLETED", "FAILED", "CANCELLED" }
local FINAL = { COMPLETED = true, FAILED = true, CANCELLED = true }

local function load_job(id)
  local r = redis.call("HMGET", job_key(id), "state", "queue", "task", "priority", "created", "arrival",
    "attempt", "run", "max_attempts", "granted", "losses", "lease", "worker", "started_at", "cancel", "blockers",
    "follows", "key", "checkpoint")
  if not r[1] then return nil end
  return {
    id = id, state = r[1], queue = r[2], task = r[3], priority = tonumber(r[4]),
    created = r[5], arrival = r[6] or r[5], -- text: longer than a Lua number prints; "" when it never arrived
    attempt = tonumber(r[7] or 0), run = tonumber(r[8] or 0),
    max_attempts = tonumber(r[9] or 1), granted = tonumber(r[10] or r[9] or 1),
    losses = tonumber(r[11] or 0), lease = r[12], worker = r[13], started_at = r[14],
    cancel = r[15], -- why it was asked to stop, "" when nobody said
    blockers = tonumber(r[16] or 0), -- how many of its dependencies have not completed
    key = r[18] or nil, -- its concurrency key; absent for most
    follows = r[17] or nil, -- JSON of what is to happen when it ends; absent for most
    checkpoint = r[19], -- bytes saved of its way, if it saved any
  }
end

local function not_found(id) return redis.error_reply("JOB_NOT_FOUND " .. id) end
local function lease_lost(id) return redis.error_reply("LEASE_LOST " .. id) end
local function queue_full(why) return redis.error_reply("QUEUE_FULL " .. why) end
local function no_dependency(row, id) return redis.error_reply("UNKNOWN_DEPENDENCY " .. row .. " " .. id) end
local function illegal_move(job, wanted)
  return redis.error_reply("ILLEGAL_MOVE " .. job.id .. " " .. job.state .. " " .. wanted)
end
