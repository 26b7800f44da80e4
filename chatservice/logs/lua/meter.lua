-- begins with: moment
-- Token buckets, each one number: the moment (µs) at which it is full again (the generic cell rate algorithm of ITU-T
-- I.371). Time is the server's.

-- `kept` that number as it is kept, if it is; `each` what one token costs, `most` what the whole bucket costs (µs).
-- Answers the number and what is missing of a token, in ms, 0 if nothing is.
local function missing(kept, now, each, most)
  local full = tonumber(kept or 0)
  if full < now or full > now + most then full = now end -- more than it holds: the clock was set back
  return full, math.max(0, math.ceil((full + each - now - most) / 1000))
end
