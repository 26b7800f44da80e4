-- begins with: find
-- Take the oldest `n` entries, and the messages among them, out of the room; those who have it open are told.
local function trim(n, channel)
  if n <= 0 then return end
  local gone = {}
  for seq = first, first + n - 1 do
    gone[#gone + 1] = whole(seq)
    gone[#gone + 1] = whole(seq) .. ':e'
  end
  redis.call('HDEL', KEYS[5], unpack(gone))
  redis.call('LTRIM', KEYS[3], n, -1)
  first = first + n
  local cards = beyond(function(card) return seq_of(card) >= first end)
  if cards > 0 then redis.call('LTRIM', KEYS[4], cards, -1) end
  redis.call('HSET', KEYS[1], 'o', whole(first))
  redis.call('PUBLISH', channel, 'p' .. whole(first))
end
