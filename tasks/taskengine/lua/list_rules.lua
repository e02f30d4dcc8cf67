-- list_rules: what is paused and what is limited.
--
-- Returns  {paused as field, value, ..., limits as field, value, ...}
-- Writes   nothing
--@include keys

return { redis.call("HGETALL", paused_key), redis.call("HGETALL", limits_key) }
