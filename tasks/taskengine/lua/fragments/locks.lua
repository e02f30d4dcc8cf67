-- Who holds a lock. One that a job took is not held any more when that attempt of it is over.

local function is_held(name)
  local owner = redis.call("GET", lock_key(name))
  if not owner then return false end
  local job, lease = string.match(owner, "^([^ ]+) ([^ ]+) ")
  if not job then return true end
  local record = redis.call("HMGET", job_key(job), "state", "lease")
  return record[1] == "RUNNING" and record[2] == lease
end
