-- begins with: trim
-- The archive has the room up to number ARGV[4], and from ARGV[5]. ARGV[3] the epoch under which that was read,
-- ARGV[6] entries kept here, ARGV[7] the room, ARGV[8] whether that is all for now (1); KEYS[6] the rooms of which it
-- has not all. Answers the first number that is kept here, 0 if it is not so.
--
-- Under another epoch the numbers may stand for other entries by now: then it is as if nothing had been copied. A room
-- without a head has nothing that could wait, and must not get half of one.
if not head[1] then
  redis.call('SREM', KEYS[6], ARGV[7])
  return 0
end
local mark = tonumber(ARGV[4])
if epoch ~= ARGV[3] or mark > top then return 0 end
archived, oldest = mark, tonumber(ARGV[5])
redis.call('HSET', KEYS[1], 'a', whole(archived), 'b', whole(oldest))
head[9] = whole(archived)
if archived >= top and ARGV[8] == '1' then redis.call('SREM', KEYS[6], ARGV[7]) else redis.call('SADD', KEYS[6], ARGV[7]) end
-- What has grown while the archive was away goes here; a room that talks is trimmed as it does.
local surplus = math.min(top - first + 1 - tonumber(ARGV[6]), archived - first + 1, 512)
if surplus >= math.min(64, tonumber(ARGV[6])) then trim(surplus, '') end
return first
