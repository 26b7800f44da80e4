-- Keep an account, if nobody has changed any since they were read: names are compared by rules that Lua does not have.
-- KEYS[1] accounts, KEYS[2] how often they have changed; ARGV[1] how often they had when they were read, ARGV[2] id,
-- ARGV[3] account, ARGV[4] the channel of all workers. Answers 1, or 0 to try again.
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[4], 'a' .. ARGV[3])
return 1
