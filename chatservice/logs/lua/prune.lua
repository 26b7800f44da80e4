-- begins with: trim
-- Take out what is older than ARGV[3] (ms), at most ARGV[4] entries at once, but never the newest: a room must not
-- forget how far it has counted. ARGV[5] the room's channel. Answers how many.
local n, before, most = 0, tonumber(ARGV[3]), tonumber(ARGV[4])
for _, entry in ipairs(redis.call('LRANGE', KEYS[3], 0, most - 1)) do
  if first + n >= top or leading(entry) >= before then break end
  n = n + 1
end
trim(n, ARGV[5])
return n
