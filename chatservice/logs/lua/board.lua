-- begins with: moment
-- How the workers stand. KEYS[1] and KEYS[2] see pin.lua; KEYS[3] all workers and until when they live (ms); ARGV[1] of
-- how many at most. Answers {{worker, whether it lives, for how long (ms) that is so, what it said}, …}, newest first.
local ms, found = moment_ms(), {}
local pinned = redis.call('ZREVRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
for i = 1, #pinned, 2 do
  local worker = pinned[i]
  local until_ms = tonumber(redis.call('ZSCORE', KEYS[3], worker) or 0)
  local said = redis.call('HGET', KEYS[1], worker) or ''
  found[#found + 1] = {worker, until_ms > ms and 1 or 0, ms - tonumber(pinned[i + 1]), said}
end
return found
