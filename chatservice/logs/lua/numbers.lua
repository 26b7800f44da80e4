-- begins with: whole
-- Numbers for `userN` that nobody has or had. KEYS[1] the highest that was given; ARGV[1] how many are wanted, ARGV[2]
-- the highest that this worker knows of, ARGV[3] how many others may have been given since it learned that. Answers the
-- one before the first.
local highest = tonumber(redis.call('GET', KEYS[1]) or 0)
if highest < tonumber(ARGV[2]) then highest = tonumber(ARGV[2]) + tonumber(ARGV[3]) end -- the server has lost it
redis.call('SET', KEYS[1], whole(highest + tonumber(ARGV[1])))
return highest
