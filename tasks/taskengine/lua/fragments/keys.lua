-- Key names, as in taskengine/keys.py; tests/contracts hold both to each other.

local prefix = KEYS[1] -- "te:{namespace}:"

local waiting_key, leases_key, events_key = prefix .. "waiting", prefix .. "leases", prefix .. "events"
local expiring_key, resolving_key = prefix .. "expiring", prefix .. "resolving"
local paused_key, limits_key = prefix .. "paused", prefix .. "limits"
local budget_key, full_key = prefix .. "budget", prefix .. "full"
local revoked_key = prefix .. "revoked"
local lanes_key, queues_key, clock_key = prefix .. "lanes", prefix .. "queues", prefix .. "clock"
local schedules_key = prefix .. "schedules"
local aging_key, rescoring_key = prefix .. "aging", prefix .. "rescoring"
local draining_key = prefix .. "draining"

local function job_key(id) return prefix .. "job:" .. id end
local function attempts_key(id) return prefix .. "attempts:" .. id end
local function logs_key(id) return prefix .. "logs:" .. id end
local function checkpoint_key(id) return prefix .. "checkpoint:" .. id end
local function dependencies_key(id) return prefix .. "dependencies:" .. id end
local function dependents_key(id) return prefix .. "dependents:" .. id end
local function idempotency_key(task, key) return prefix .. "idempotency:" .. task .. ":" .. key end
local key_limits_key = prefix .. "key_limits"
local function keyed_key(task, key) return prefix .. "keyed:" .. task .. ":" .. key end
local function parked_key(task, key) return prefix .. "parked:" .. task .. ":" .. key end
local function parked_keys_key(task) return prefix .. "parked_keys:" .. task end
local function parked_jobs_key(queue, task) return prefix .. "parked_jobs:" .. queue .. ":" .. task end
local function rate_key(kind, name) return prefix .. "rate:" .. kind .. ":" .. name end
local metrics_slots_key = prefix .. "metrics:slots"
local metrics_totals_key = prefix .. "metrics:totals"
local function metrics_key(seconds, start) return prefix .. "metrics:" .. seconds .. ":" .. start end
local function metrics_open_key(seconds, start) return prefix .. "metrics:open:" .. seconds .. ":" .. start end
local failures_key, audit_key = prefix .. "failures", prefix .. "audit"
local api_keys_key, api_keys_used_key = prefix .. "api_keys", prefix .. "api_keys_used"
local function api_budget_key(caller) return prefix .. "api_budget:" .. caller end
local function failure_key(group) return prefix .. "failure:" .. group end
local function failed_key(group) return prefix .. "failed:" .. group end
local function chord_key(id) return prefix .. "chord:" .. id end
local function lock_key(name) return prefix .. "lock:" .. name end
local function uses_key(name) return prefix .. "uses:" .. name end
local bulks_key, bulking_key = prefix .. "bulks", prefix .. "bulking"
local function bulk_key(id) return prefix .. "bulk:" .. id end
local function lane_key(queue, task, state) return prefix .. "lane:" .. queue .. ":" .. task .. ":" .. state end
local function ready_key(queue, task) return prefix .. "ready:" .. queue .. ":" .. task end
local function heads_key(queue) return prefix .. "heads:" .. queue end
local function tagged_key(tag) return prefix .. "tagged:" .. tag end
local function finished_key(state) return prefix .. "finished:" .. state end
local function wake_key(queue) return prefix .. "wake:" .. queue end
local function knows_key(worker) return prefix .. "knows:" .. worker end
local function declares_key(worker) return prefix .. "declares:" .. worker end
local function schedule_key(name) return prefix .. "schedule:" .. name end
local function schedule_jobs_key(name) return prefix .. "schedule_jobs:" .. name end
