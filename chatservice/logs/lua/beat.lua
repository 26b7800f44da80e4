-- begins with: moment
-- This worker lives. KEYS[1] all workers and until when they live (ms); ARGV[1] this one, ARGV[2] for how long (ms).
-- The time is the server's: workers' clocks may differ. Answers {whether it was thought alive, worker, worker, …}.
local ms = moment_ms()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0
redis.call('ZADD', KEYS[1], ms + tonumber(ARGV[2]), ARGV[1])
return {known, unpack(redis.call('ZRANGE', KEYS[1], 0, 999))}
