-- Count a use of an invitation. KEYS[1] its count; ARGV[1] how many it lets in, ARGV[2] how long it is good (ms).
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
if used >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], used + 1, 'PX', ARGV[2])
return 1
