-- What a job has saved of its way. The record says how many bytes, so that who has none pays nothing.

local function forget_checkpoint(job)
  if not job.checkpoint then return end
  redis.call("UNLINK", checkpoint_key(job.id))
  redis.call("HDEL", job_key(job.id), "checkpoint")
end
