-- Whether texts that scripts read are what they take them for.

local function object_of(text)
  local readable, value = pcall(cjson.decode, text)
  return readable and type(value) == "table" and string.sub(text, 1, 1) == "{" and value or nil
end
local function is_whole(text) return string.match(text, "^%-?%d+$") ~= nil end
local function shown(text) return #text > 60 and string.sub(text, 1, 60) .. "…" or text end
