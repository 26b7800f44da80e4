-- A user is in a room by this worker, or not any more. KEYS[1] the workers that have somebody there, KEYS[2] whom this
-- one has; ARGV[1] this worker, ARGV[2] the user's id, ARGV[3] the user ('' when it is gone), ARGV[4] the channel.
--
-- It says what is, not what changes: done twice it is still right, so it may be tried again blindly.
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  redis.call('SADD', KEYS[1], ARGV[1])
  redis.call('PUBLISH', ARGV[4], 'j' .. ARGV[1] .. '\31' .. ARGV[3])
else
  redis.call('HDEL', KEYS[2], ARGV[2])
  if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('SREM', KEYS[1], ARGV[1]) end
  redis.call('PUBLISH', ARGV[4], 'l' .. ARGV[1] .. '\31' .. ARGV[2])
end
return 1
