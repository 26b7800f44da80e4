-- begins with: meter
-- A token of a bucket, or one that is put back. KEYS[1] the bucket; ARGV[1] what one costs, ARGV[2] what the whole bucket
-- costs (µs), ARGV[3] '1' to take one, '-1' to put one back. Answers the ms to wait, 0 if it was there.
local now, each = moment(), tonumber(ARGV[1])
local full, wait = missing(KEYS[1], now, each, tonumber(ARGV[2]))
if ARGV[3] == '-1' then
  if full > now then spent(KEYS[1], now, full - each) end
  return 0
end
if wait > 0 then return wait end
spent(KEYS[1], now, full + each)
return 0
