-- Whether a job is one of those that a filter is for, by its record. taskengine/filters.py says the same of jobs.

local HIDDEN = '"' .. string.rep("%*", 8) .. '"'

local function is_in(search, text)
  local folded = string.lower(text)
  for _, variant in ipairs(search.variants) do folded = string.gsub(folded, variant[1], variant[2]) end
  return string.find(folded, search.needle, 1, true) ~= nil
end

-- JSON as one reads it.
local function unescaped(json)
  if not string.find(json, "\\", 1, true) then return json end
  local short = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
  return (string.gsub(json, "\\(.)(%x?%x?%x?%x?)", function(letter, digits)
    if letter ~= "u" then return (short[letter] or letter) .. digits end
    local code = #digits == 4 and tonumber(digits, 16)
    return code and code < 128 and string.char(code) or nil
  end))
end

-- Lua knows no difference between {} and []: here an empty list gets a number that nobody can ask for.
local function mark_empty_lists(json)
  local outline = string.gsub(string.gsub(json, "\\.", "__"), '"[^"]*"', function(text) return string.rep('"', #text) end)
  local parts, done = {}, 0
  for at, over in string.gmatch(outline, "()%[%s*%]()") do
    parts[#parts + 1] = string.sub(json, done + 1, at) .. "1e999]"
    done = over - 1
  end
  return table.concat(parts) .. string.sub(json, done + 1)
end

-- `asked` is { "o", fields } | { "l", elements } | { "s", a scalar } | { "n" }
local function contains(have, asked)
  local kind, value = asked[1], asked[2]
  if kind == "n" then return have == cjson.null end
  if kind == "s" then return have == value end
  if type(have) ~= "table" then return false end
  if kind == "o" then
    if have[1] ~= nil then return false end
    for name, inner in pairs(value) do
      if have[name] == nil or not contains(have[name], inner) then return false end
    end
    return true
  end
  if #value == 0 then return have[1] ~= nil end
  for _, inner in ipairs(value) do
    local found = false
    for _, one in ipairs(have) do found = found or contains(one, inner) end
    if not found then return false end
  end
  return true
end

-- Text and arguments. Returns whether they are as asked, and how many bytes it looked at.
local function is_found(f, id, tags)
  local r = redis.call("HMGET", job_key(id), "args", "error", "secrets")
  local args, error = r[1] or "{}", r[2]
  local bytes = #args + (error and #error or 0)
  -- Nothing is found where a secret is not shown.
  local function without_secrets(instead) return r[3] and string.gsub(args, HIDDEN, instead) or args end
  if f.args_contain then
    local shown = without_secrets("1e999")
    local readable, decoded = pcall(cjson.decode, f.asks_for_empty and mark_empty_lists(shown) or shown)
    if not readable or not contains(decoded, f.args_contain) then return false, bytes end
  end
  if not f.text or is_in(f.text, unescaped(without_secrets('""'))) then return true, bytes end
  local texts = tags and cjson.decode(tags) or {}
  if error then
    local decoded = cjson.decode(error)
    texts[#texts + 1] = decoded.exception
    texts[#texts + 1] = decoded.message
  end
  for _, text in ipairs(texts) do
    if is_in(f.text, text) then return true, bytes end
  end
  return false, bytes
end

-- Returns a function of an id: whether that job is one, and how many bytes of text that took.
local function matcher(f)
  local ids, states, queues, tasks, wanted = set_of(f.ids), set_of(f.states), set_of(f.queues), set_of(f.tasks), set_of(f.tags)
  local function within(low, number, high) return (not low or number >= low) and (not high or number < high) end
  local function is_tagged(tags)
    for _, tag in ipairs(tags and cjson.decode(tags) or {}) do
      if wanted[tag] then return true end
    end
    return false
  end
  return function(id)
    local r = redis.call("HMGET", job_key(id), "state", "queue", "task", "priority", "created", "finished_at", "schedule",
      "failure_group", "tags")
    local state, tags = r[1], r[9]
    local finished = FINAL[state] and tonumber(r[6])
    local fits = state and (not ids or ids[id]) and (not states or states[state]) and (not queues or queues[r[2]])
      and (not tasks or tasks[r[3]])
      and within(f.priority_low, tonumber(r[4]), f.priority_high and f.priority_high + 1)
      and within(f.created_from, tonumber(r[5]), f.created_before)
      and (not (f.finished_from or f.finished_before) or finished and within(f.finished_from, finished, f.finished_before))
      and (not f.schedule or r[7] == f.schedule)
      and (not f.failure_group or state == "FAILED" and r[8] == f.failure_group)
      and (not wanted or is_tagged(tags))
    if not fits then return false, 0 end
    if f.text or f.args_contain then return is_found(f, id, tags) end
    return true, 0
  end
end

-- Visits the jobs beyond a place that `check` lets pass, all of them without it, until `found(id, score)` returns false.
-- Looks at so many records, and bytes of text, at the most. Returns how many it looked at, the last of them, and
-- whether it went no further because that was enough.
local function search(lists, from, down, inclusive, check, records, bytes, found)
  local looked, last, enough = 0, nil, false
  each_job(lists, from, down, inclusive, records + 1, function(id, score)
    if looked == records or bytes <= 0 then
      enough = true
      return false
    end
    looked, last = looked + 1, { id = id, score = score }
    local matches, took = true, 0
    if check then matches, took = check(id) end
    bytes = bytes - took
    if matches then return found(id, score) end
  end)
  return looked, last, enough
end
