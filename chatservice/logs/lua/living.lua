-- begins with: alive
-- Who is alive by any worker, under which nick. All of it is on one server, whatever shards there are.
--
-- KEYS[1] all workers and until when they live (ms); KEYS[2] nicks, a hash: what looks like it -> the id of its user;
-- KEYS[3] the workers that have users; ARGV[1] this worker; ARGV[2] what the keys of users begin with, ARGV[3] those of
-- the users a worker has. A user's key is a hash: `n` its nick, `v` how often that has changed, `l` its looks split by
-- 0x1F, `w:WORKER` how many connections it has there. Names of keys are made up here, which a Redis Cluster does not allow.
local function lives(worker) return worker == ARGV[1] or is_alive(KEYS[1], worker) end

-- The workers that live and have the user, with its connections, those of `but` left out; and all connections there.
local function workers_of(user, but)
  local fields, living, total = redis.call('HGETALL', ARGV[2] .. user), {}, 0
  for i = 1, #fields, 2 do
    local worker = string.match(fields[i], '^w:(.*)')
    if worker and worker ~= but and lives(worker) then
      living[#living + 1] = worker
      total = total + tonumber(fields[i + 1])
    end
  end
  return living, total
end

-- Its looks are free, unless somebody else has them by now.
local function unlook(user, looks)
  for look in string.gmatch(looks or '', '[^\31]+') do
    if redis.call('HGET', KEYS[2], look) == user then redis.call('HDEL', KEYS[2], look) end
  end
end

local function forget(user)
  unlook(user, redis.call('HGET', ARGV[2] .. user, 'l'))
  redis.call('DEL', ARGV[2] .. user)
end
