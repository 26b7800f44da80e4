-- What time it is: the server's, for workers' clocks may differ. In µs and in ms since 1970.
local function moment()
  local now = redis.call('TIME')
  return tonumber(now[1]) * 1000000 + tonumber(now[2])
end

local function moment_ms() return math.floor(moment() / 1000) end
