-- begins with: moment, whole
-- A worker begins to use this server. KEYS[1] what is kept of the map of partitions, KEYS[2] all workers and until when
-- they live (ms), KEYS[3…] the ids of the partitions that are here; ARGV[1] how the map is now, ARGV[2] how it may have
-- been, ARGV[3] a word for ids, ARGV[4] the worker, ARGV[5] for how long it lives (ms).
-- Answers how it is kept from now on: what was asked for, or what others have made of it.
--
-- Trap: with full memory even a SET that changes nothing is refused, and then nobody could connect and read.
local kept = redis.call('GET', KEYS[1])
if kept and kept ~= ARGV[1] and kept ~= ARGV[2] then return kept end
if kept ~= ARGV[1] then redis.call('SET', KEYS[1], ARGV[1]) end
local now = moment()
for i = 3, #KEYS do
  -- A worker that comes once more after all was lost has the same word.
  if redis.call('EXISTS', KEYS[i]) == 0 then
    redis.call('SET', KEYS[i], ARGV[3] .. '.' .. whole(now) .. '.' .. i)
  end
end
redis.pcall('ZADD', KEYS[2], math.floor(now / 1000) + tonumber(ARGV[5]), ARGV[4])
return ARGV[1]
