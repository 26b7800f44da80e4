-- Going through all partitions of this server. ARGV[1] what all keys begin with, ARGV[2] how many there are.
--
-- It makes up names of keys, which a Redis Cluster does not allow; there each partition would be asked by itself.

-- For use in `for`: what the keys of one partition after the other begin with.
local function partitions()
  local partition = -1
  return function()
    partition = partition + 1
    if partition < tonumber(ARGV[2]) then return ARGV[1] .. '{' .. partition .. '}:' end
  end
end
