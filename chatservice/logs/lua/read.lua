-- begins with: fence
-- A page of the log. KEYS[3] the log; ARGV[3] the number after which ('f') or below which ('b') it lies, ARGV[4] how
-- many entries, ARGV[5] 'f' or 'b'.
-- Answers {top, epoch, forks, first, rules, number of the first entry, entries, the first that the archive has, 0 for
-- none}.
local n, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
local from, to
if ARGV[5] == 'f' then
  from = math.max(n + 1, first)
  to = math.min(top, from + limit - 1)
else
  to = math.min(top, n - 1)
  from = math.max(first, to - limit + 1)
end
local entries = {}
if from <= to then entries = redis.call('LRANGE', KEYS[3], from - first, to - first) end
return {top, epoch, forks, first, rules, from, entries, oldest}
