-- A mark that never goes back. KEYS[1] the user's marks; ARGV[1] the room, ARGV[2] the number. Answers what holds.
local now = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or -1)
if tonumber(ARGV[2]) <= now then return now end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return tonumber(ARGV[2])
