-- check_facts: whether what stands as JSON or a number in a hash, or alone, can be read. What operators, code and
-- applications said is nobody's to guess: it is named, and left.
--
-- Returns  rows of key, member, job, expected, found, outcome
-- Writes   api_keys_used; nothing unless it is to mend
--@include keys clock mending judging

local mend = ARGV[1] -- "1" to mend what disagrees, "0" only to look
local kind = ARGV[2] -- api_keys | api_keys_used | catalogue | paused | limits | key_limits | revoked | schedule | aging | budget | clock | catalogue_version
local name = ARGV[3] -- str  the rest of the key's name, "" when there is only one
local rows = 4       -- ARGV from here: fields; none of what stands alone

local key = prefix .. kind .. (name ~= "" and ":" .. name or "")
local ROLES = { VIEWER = true, OPERATOR = true, ADMIN = true }

local function lacks(text, facts)
  local value = object_of(text)
  if not value then return "an object as JSON" end
  for fact, its_type in pairs(facts) do
    local optional = string.match(fact, "^(.*)%?$")
    local found = value[optional or fact]
    if type(found) ~= its_type and not (optional and found == nil) then return its_type .. " " .. (optional or fact) end
  end
end
local function number_from(least) return function(_, text)
  if not is_whole(text) or tonumber(text) < least then return "a number from " .. least end
end end
local function of_a_kind(facts) return function(field, text)
  return not string.match(field, "^queue:.") and not string.match(field, "^task:.") and "queue:<name> or task:<name>"
    or lacks(text, facts)
end end

local judges = {
  paused = of_a_kind({ at = "number", by = "string", reason = "string" }),
  limits = of_a_kind({ ["concurrency?"] = "number", ["jobs?"] = "number", ["per_ms?"] = "number", ["per_key?"] = "number" }),
  key_limits = number_from(1), aging = number_from(1), budget = number_from(0), clock = number_from(0),
  catalogue_version = number_from(0), api_keys_used = number_from(0),
}
function judges.catalogue(_, text) return lacks(text, {}) end
function judges.revoked(_, text) return text ~= "once" and text ~= "always" and not is_whole(text) and "once, always or a time" end
function judges.schedule(field, text)
  if field == "definition" then return lacks(text, { task = "string" }) end
  if field == "enabled" then return text ~= "0" and text ~= "1" and "0 or 1" end
  return not is_whole(text) and "a number"
end
function judges.api_keys(field, text)
  local wrong = not string.match(field, "^%x+$") and "the digest of a secret"
    or lacks(text, { name = "string", role = "string", prefix = "string", created_at = "string", ["expires_at?"] = "string" })
  return wrong or not ROLES[object_of(text).role] and "a role"
end

local REFUSED = {
  api_keys = "revoke it by its name, or remove the field by hand", catalogue = "a worker publishes it when it starts",
  key_limits = "a worker says it when it starts", schedule = "the record itself is damaged",
}
for i = rows, math.max(#ARGV, rows) do
  local field = ARGV[i] or ""
  local value = field == "" and redis.call("GET", key) or field ~= "" and redis.call("HGET", key, field)
  local wrong = not value and kind == "schedule" and redis.call("EXISTS", key) == 1 and "there" or value and judges[kind](field, value)
  local unused = kind == "api_keys_used" and value and redis.call("HEXISTS", api_keys_key, field) == 0
  if unused or wrong and kind == "api_keys_used" then
    if mend == "1" then redis.call("HDEL", key, field) end
    tell(key, field, "", wrong or "absent", shown(value), outcome_of())
  elseif wrong then
    tell(key, field, "", wrong, kind == "api_keys" and "another" or shown(value or "absent"), outcome_of(REFUSED[kind] or "only who set it knows what was meant"))
  end
end
return told
