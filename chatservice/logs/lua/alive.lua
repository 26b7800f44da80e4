-- begins with: moment
-- Which workers live: `key` has all of them and until when they do (ms). A worker that is dead has nobody and does
-- nothing; what it has left is taken away by whoever comes upon it.
local ms = moment_ms()

local function is_alive(key, worker)
  local until_ms = redis.call('ZSCORE', key, worker)
  return until_ms and tonumber(until_ms) > ms
end
