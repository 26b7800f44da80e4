-- begins with: whole
-- Cards, a list: one for each message, in order, as `seq author mention mention …` split by 0x1F; a deleted one has no
-- author.

-- The index of the first one in the list `key` that `is_beyond`; the number of cards if none is.
local function beyond(key, is_beyond)
  local low, high = 0, redis.call('LLEN', key)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_beyond(redis.call('LINDEX', key, middle)) then high = middle else low = middle + 1 end
  end
  return low
end
