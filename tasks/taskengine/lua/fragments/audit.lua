-- What operators did. A script that is told `by` whom it is run writes it down with the change itself.

local AUDIT_KEPT = 10000

-- `by` is a viewer's name; "" when a program acted on its own account, which is no operator's action.
-- `action` is the name of the client's method, `subject` what was acted on, `details` a table, JSON, or nil.
local function audit(by, action, subject, details)
  if by == "" then return end
  redis.call("XADD", audit_key, "MAXLEN", "~", AUDIT_KEPT, "*", "by", by, "action", action, "subject", subject,
    "details", type(details) == "string" and details or details and next(details) and cjson.encode(details) or "")
end
