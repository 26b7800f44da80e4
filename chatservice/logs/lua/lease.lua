-- A job that one worker does. KEYS[1] the job; ARGV[1] who asks, ARGV[2] for how long (ms). Answers 1 to who has it.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
