-- begins with: whole, partitions
-- Rooms of which the archive has not all, some of them by chance, so that none of them waits for ever. ARGV[3] how many
-- rooms to show of each partition at most, ARGV[4] in all. Answers {how many there are, entries that wait in those
-- shown, when the oldest of these was said (ms), name, name, …}.
local answer, waiting, oldest = {0, 0, 0}, 0, nil
for base in partitions() do
  local n = redis.call('SCARD', base .. 'n')
  answer[1] = answer[1] + n
  local most = math.min(tonumber(ARGV[3]), tonumber(ARGV[4]) - (#answer - 3))
  if n > 0 and most > 0 then
    for _, name in ipairs(redis.call('SRANDMEMBER', base .. 'n', most)) do
      local head = redis.call('HMGET', base .. 'm:' .. name, 's', 'a', 'o')
      local top, first = tonumber(head[1] or 0), tonumber(head[3] or 1)
      local next = math.max(tonumber(head[2] or 0) + 1, first)
      local entry = next <= top and redis.call('LINDEX', base .. 'l:' .. name, next - first)
      if entry then
        waiting = waiting + top - next + 1
        local ts = leading(entry)
        if not oldest or ts < oldest then oldest = ts end
      end
      answer[#answer + 1] = name
    end
  end
end
answer[2], answer[3] = waiting, oldest or 0
return answer
