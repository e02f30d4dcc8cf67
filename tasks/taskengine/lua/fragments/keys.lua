-- Key names, as in taskengine/keys.py; tests/contracts hold both to each other.

local prefix = KEYS[1] -- "te:{namespace}:"

local waiting_key, leases_key, events_key = prefix .. "waiting", prefix .. "leases", prefix .. "events"
local lanes_key, queues_key, clock_key = prefix .. "lanes", prefix .. "queues", prefix .. "clock"

local function job_key(id) return prefix .. "job:" .. id end
local function attempts_key(id) return prefix .. "attempts:" .. id end
local function lane_key(queue, task, state) return prefix .. "lane:" .. queue .. ":" .. task .. ":" .. state end
local function ready_key(queue, task) return prefix .. "ready:" .. queue .. ":" .. task end
local function heads_key(queue) return prefix .. "heads:" .. queue end
local function finished_key(state) return prefix .. "finished:" .. state end
local function wake_key(queue) return prefix .. "wake:" .. queue end
local function knows_key(worker) return prefix .. "knows:" .. worker end
