-- begins with: whole, partitions
-- Rooms by last use. ARGV[3] how many rooms to skip, ARGV[4] how many to show. Answers {name, top, rules, when it was
-- used, name, …} and shows fewer only where there are no more.
local skip, show = tonumber(ARGV[3]), tonumber(ARGV[4])
local found = {}
for base in partitions() do
  local some = redis.call('ZREVRANGE', base .. 'z', 0, skip + show - 1, 'WITHSCORES')
  for i = 1, #some, 2 do found[#found + 1] = {some[i], tonumber(some[i + 1]), base} end
end
table.sort(found, function(a, b) return a[2] > b[2] end)
local answer = {}
for i = skip + 1, math.min(#found, skip + show) do
  local head = redis.call('HMGET', found[i][3] .. 'm:' .. found[i][1], 's', 'u')
  answer[#answer + 1] = found[i][1]
  answer[#answer + 1] = head[1] or '0'
  answer[#answer + 1] = head[2] or ''
  answer[#answer + 1] = whole(found[i][2])
end
return answer
