-- begins with: moment
-- Token buckets, each one number: the moment (µs) at which it is full again (the generic cell rate algorithm of ITU-T
-- I.371). Time is the server's. Answers what is missing of a token, in ms, 0 if nothing is.

-- `each` what one token costs, `most` what the whole bucket costs (µs).
local function missing(key, now, each, most)
  local full = math.max(now, tonumber(redis.call('GET', key) or 0))
  return full, math.max(0, math.ceil((full + each - now - most) / 1000))
end

local function spent(key, now, full)
  redis.call('SET', key, full, 'PX', math.max(1, math.ceil((full - now) / 1000)))
end
