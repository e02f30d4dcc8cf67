-- list_rules: what is paused and what is limited, and how jobs age.
--
-- Returns  {paused as field, value, ..., limits as field, value, ..., µs of waiting worth a priority step or nil}
-- Writes   nothing
--@include keys

return { redis.call("HGETALL", paused_key), redis.call("HGETALL", limits_key), redis.call("GET", aging_key) }
