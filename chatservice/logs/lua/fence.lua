-- begins with: whole
-- How the room stands, under which epoch. Every script about a room begins with this.
--
-- KEYS[1] the room's head, KEYS[2] the partition's own id; ARGV[1] the identity of the server as the connection saw
-- it, ARGV[2] a fresh word for an epoch; with a `?` behind it there is an archive, which is asked first about a room
-- that has no head here: the answer is then {'seed'}, and nothing was done.
--
-- With an archive a head has two more: `a` up to which number it has the room, `b` from which.
--
-- The fork fence: if the room was last touched under another identity (a restart, a fail-over, a backup that was put
-- back), the tail of it may be lost. Numbers then go on, but under a new epoch, and `f` says where the old one ended.
-- Without it the lost numbers would be given to other messages, and who had seen the lost ones would never know.
local head = redis.call('HMGET', KEYS[1], 'e', 's', 'r', 'f', 't', 'p', 'o', 'u', 'a', 'b')
local epoch, top, forks = head[1], tonumber(head[2] or 0), head[4] or ''
local ts, place, first, rules = tonumber(head[5] or 0), tonumber(head[6] or 0), tonumber(head[7] or 1), head[8] or ''
local archived, oldest = tonumber(head[9] or -1), tonumber(head[10] or 0)
local fresh, unsure = string.gsub(ARGV[2], '%?$', '')

if not epoch then
  if unsure > 0 then return {'seed'} end
  -- A room in which nothing was said has an epoch, though nothing is kept of it: else anybody could fill the memory
  -- by asking for names. The id is lost with all data (FLUSHALL), so the epoch is then another one.
  local id = redis.call('GET', KEYS[2])
  if not id then
    id = fresh
    redis.call('SET', KEYS[2], id)
  end
  epoch = string.sub(redis.sha1hex(ARGV[1] .. ' ' .. id .. ' ' .. KEYS[1]), 1, 12)
elseif head[3] ~= ARGV[1] then
  forks = forks .. epoch .. ':' .. whole(top) .. ','
  local _, kept = string.gsub(forks, ',', '')
  while kept > 16 do
    forks = string.sub(forks, string.find(forks, ',', 1, true) + 1)
    kept = kept - 1
  end
  epoch = fresh
  redis.call('HSET', KEYS[1], 'e', epoch, 'r', ARGV[1], 'f', forks)
end
