-- begins with: find
-- Take the oldest `n` entries, and the messages among them, out of the room; those who have it open are told. Without
-- a `channel` nobody is: the archive has them, and records that it may not know yet stay (find.lua).
local function trim(n, channel)
  if n <= 0 then return end
  local gone, last, tracked = {}, first + n - 1, {}
  if head[9] then
    for seq = first, last do
      tracked[#tracked + 1] = whole(seq) .. ':l'
      tracked[#tracked + 1] = 'x:' .. whole(seq)
    end
    tracked = redis.call('HMGET', KEYS[5], unpack(tracked))
  end
  local function drop(seq)
    gone[#gone + 1] = seq
    gone[#gone + 1] = seq .. ':e'
    if head[9] then gone[#gone + 1] = seq .. ':l' end
  end
  for seq = first, last do
    local changed, changes = tracked[2 * (seq - first) + 1], tracked[2 * (seq - first) + 2]
    if channel ~= '' or not changed or tonumber(changed) <= last then drop(whole(seq)) end
    if changes then
      gone[#gone + 1] = 'x:' .. whole(seq)
      if tonumber(changes) < first and redis.call('HGET', KEYS[5], changes .. ':l') == whole(seq) then drop(changes) end
    end
  end
  if #gone > 0 then redis.call('HDEL', KEYS[5], unpack(gone)) end
  redis.call('LTRIM', KEYS[3], n, -1)
  first = first + n
  local cards = beyond(KEYS[4], function(card) return leading(card) >= first end)
  if cards > 0 then redis.call('LTRIM', KEYS[4], cards, -1) end
  redis.call('HSET', KEYS[1], 'o', whole(first))
  if channel == '' then return end
  if oldest > 0 then redis.call('HSET', KEYS[1], 'b', whole(math.max(oldest, first))) end
  redis.call('PUBLISH', channel, 'p' .. whole(first))
end
