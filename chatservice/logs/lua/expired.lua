-- begins with: fence
-- The archive has forgotten what was below number ARGV[3] of the room: those who have it open are told. ARGV[4] the
-- room's channel.
local now = tonumber(ARGV[3])
if oldest > 0 and now > oldest then
  redis.call('HSET', KEYS[1], 'b', whole(now))
  redis.call('PUBLISH', ARGV[4], 'p' .. whole(now))
end
return 1
