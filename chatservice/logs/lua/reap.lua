-- begins with: living
-- Take away what dead workers have left, ARGV[4] users at most. KEYS[4] the highest number of a `userN`, which is the
-- answer.
local left = tonumber(ARGV[4])
for _, worker in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  if not lives(worker) then
    local users = redis.call('SPOP', ARGV[3] .. worker, left)
    for _, user in ipairs(users) do
      redis.call('HDEL', ARGV[2] .. user, 'w:' .. worker)
      if #workers_of(user) == 0 then forget(user) end
    end
    left = left - #users
    if left <= 0 then break end
    redis.call('SREM', KEYS[3], worker)
  end
end
return tonumber(redis.call('GET', KEYS[4]) or 0)
