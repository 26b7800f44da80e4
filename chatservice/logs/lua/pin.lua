-- begins with: moment
-- A worker says how it stands. KEYS[1] worker -> what it says; KEYS[2] when each said so (ms); ARGV[1] the worker,
-- ARGV[2] what it says, ARGV[3] for how long (ms) that is kept. What others said longer ago than that is forgotten.
local ms = moment_ms()
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ms, ARGV[1])
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ms - tonumber(ARGV[3]), 'LIMIT', 0, 100)) do
  redis.call('HDEL', KEYS[1], worker)
  redis.call('ZREM', KEYS[2], worker)
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
