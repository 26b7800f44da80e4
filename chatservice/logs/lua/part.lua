-- begins with: living
-- A user has so many connections by this worker, or is not here any more. ARGV[4] its id, ARGV[5] how many; '' if it is
-- gone.
local me, mine = ARGV[2] .. ARGV[4], 'w:' .. ARGV[1]
if redis.call('HEXISTS', me, mine) == 0 then return 0 end
if ARGV[5] ~= '' then
  redis.call('HSET', me, mine, ARGV[5])
else
  redis.call('HDEL', me, mine)
  redis.call('SREM', ARGV[3] .. ARGV[1], ARGV[4])
  if #workers_of(ARGV[4], ARGV[1]) == 0 then forget(ARGV[4]) end
end
return 1
