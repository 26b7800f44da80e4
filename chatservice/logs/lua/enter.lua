-- begins with: living
-- A user is here by this worker, by so many connections, and is called so. ARGV[4] its id, ARGV[5] its connections,
-- ARGV[6] how many it may have by all workers together (0: nobody asks), ARGV[7] the nick, ARGV[8] '1' if that is a
-- wish: else it keeps the one it has by another worker; ARGV[9] N if a wish is for `userN`, else ''; ARGV[10] what the
-- channels of workers begin with; ARGV[11…] the looks of the nick. KEYS[4] the highest N that was given.
--
-- Says what is, not what changes, so it may be tried again blindly.
-- Answers {'ok', nick, its version} | {'taken'} | {'many'}; then nothing was changed.
local user, me = ARGV[4], ARGV[2] .. ARGV[4]
local known, before, mine, version = unpack(redis.call('HMGET', me, 'n', 'l', 'w:' .. ARGV[1], 'v'))
local others, total = workers_of(user, ARGV[1])
if ARGV[6] ~= '0' and total + tonumber(ARGV[5]) > tonumber(ARGV[6]) then return {'many'} end

local nick = ARGV[7]
local is_kept = known and known ~= '' and (known == nick or (ARGV[8] ~= '1' and #others > 0))
if is_kept then
  nick = known
else
  -- A number that was not given yet will be given to somebody.
  if ARGV[9] ~= '' and tonumber(ARGV[9]) > tonumber(redis.call('GET', KEYS[4]) or 0) then
    return {'taken'}
  end
  for i = 11, #ARGV do
    local holder = redis.call('HGET', KEYS[2], ARGV[i])
    if holder and holder ~= user and #workers_of(holder) > 0 then return {'taken'} end
  end
  for i = 11, #ARGV do
    local holder = redis.call('HGET', KEYS[2], ARGV[i])
    if holder and holder ~= user then forget(holder) end
  end
  unlook(user, before)
  for i = 11, #ARGV do redis.call('HSET', KEYS[2], ARGV[i], user) end
  redis.call('HSET', me, 'n', nick, 'l', table.concat(ARGV, '\31', 11))
  version = redis.call('HINCRBY', me, 'v', 1)
  for _, worker in ipairs(others) do
    redis.call('PUBLISH', ARGV[10] .. worker, 'c' .. ARGV[1] .. '\31' .. user .. '\31' .. nick .. '\31' .. version)
  end
end
redis.call('HSET', me, 'w:' .. ARGV[1], ARGV[5])
if not mine then
  redis.call('SADD', ARGV[3] .. ARGV[1], user)
  redis.call('SADD', KEYS[3], ARGV[1])
end
return {'ok', nick, tonumber(version)}
