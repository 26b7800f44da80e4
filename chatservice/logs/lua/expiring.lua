-- Rooms whose messages expire. ARGV[1] what all keys begin with, ARGV[2] partitions. As lua/rooms.lua it makes up names.
local names = {}
for partition = 0, tonumber(ARGV[2]) - 1 do
  for _, name in ipairs(redis.call('SMEMBERS', ARGV[1] .. '{' .. partition .. '}:expiring')) do
    names[#names + 1] = name
  end
end
return names
