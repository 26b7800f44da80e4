-- begins with: whole
-- A room that this server has lost, as far as the archive knows it: numbers go on. KEYS[1] its head, KEYS[2] the rooms by
-- last use ('' for those on no list), KEYS[3] those whose messages expire ('' if its do not),
-- KEYS[4] what says that the partition is here. ARGV: 1 epoch, 2 top,
-- 3 ts, 4 the first that the archive has, 5 earlier epochs, 6 rules, 7 the room. Answers whether it was lost.
--
-- The identity is nobody's, so the next script forks the room at `top` (fence.lua), and tells who is ahead of it.
if redis.call('HEXISTS', KEYS[1], 'e') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'e', ARGV[1], 's', ARGV[2], 'r', 'archive', 't', ARGV[3], 'p', ARGV[3] .. '000',
  'o', whole(tonumber(ARGV[2]) + 1), 'a', ARGV[2], 'b', ARGV[4], 'f', ARGV[5], 'u', ARGV[6])
redis.call('SET', KEYS[4], ARGV[1], 'NX')
if KEYS[2] ~= '' then redis.call('ZADD', KEYS[2], ARGV[3] .. '000', ARGV[7]) end
if KEYS[3] ~= '' then redis.call('SADD', KEYS[3], ARGV[7]) end
return 1
