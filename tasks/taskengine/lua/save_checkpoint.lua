-- save_checkpoint: where a running attempt is, for a later one to go on from. What lost its lease saves nothing.
--
-- Returns  OK | LEASE_LOST | CANCEL (saved, and it was asked to stop)
-- Writes   job, checkpoint
--@include keys clock jobs checkpoints

local id    = ARGV[1] -- str
local lease = ARGV[2] -- str
local data  = ARGV[3] -- json  "" forgets what was saved

local job = load_job(id)
if not job or job.state ~= "RUNNING" or job.lease ~= lease then return "LEASE_LOST" end
if data == "" then
  forget_checkpoint(job)
else
  redis.call("SET", checkpoint_key(id), data)
  redis.call("HSET", job_key(id), "checkpoint", #data)
end
return job.cancel and "CANCEL" or "OK"
