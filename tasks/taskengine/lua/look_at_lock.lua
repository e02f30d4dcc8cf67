-- look_at_lock: whether somebody holds a lock.
--
-- Returns  1 or 0
-- Writes   nothing
--@include keys locks

local name = ARGV[1] -- str

return is_held(name) and 1 or 0
