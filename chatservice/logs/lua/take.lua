-- begins with: meter
-- A token of a bucket, or one that is put back. KEYS[1] the bucket; ARGV[1] what one costs, ARGV[2] what the whole bucket
-- costs (µs), ARGV[3] '1' to take one, '-1' to put one back. Answers the ms to wait, 0 if it was there.
local now, each = moment(), tonumber(ARGV[1])
local full, wait = missing(redis.call('GET', KEYS[1]), now, each, tonumber(ARGV[2]))
if ARGV[3] == '-1' then
  if full <= now then return 0 end
  full = full - each
else
  if wait > 0 then return wait end
  full = full + each
end
redis.call('SET', KEYS[1], full, 'PX', math.max(1, math.ceil((full - now) / 1000)))
return 0
