-- begins with: partitions
-- Rooms whose messages expire.
local names = {}
for base in partitions() do
  for _, name in ipairs(redis.call('SMEMBERS', base .. 'expiring')) do names[#names + 1] = name end
end
return names
