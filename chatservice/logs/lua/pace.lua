-- begins with: meter
-- How much people have said lately in all rooms of this server: the buckets of those who spoke within a minute are one
-- hash. A key of each, which expires, costs Redis half as much again: it has to be found when it is over, and its end
-- is written down.
--
-- `base` what the keys of the hashes begin with. Names of keys are made up here, which a Redis Cluster does not allow.

-- Answers the number of the minute, how long that lasts (µs), and as `missing`.
local function said_lately(base, user, now, each, most)
  local lasts = math.max(60000000, most)
  local minute = math.floor(now / lasts)
  local kept = redis.call('HGET', base .. minute, user)
  if not kept and now % lasts < most then kept = redis.call('HGET', base .. (minute - 1), user) end
  return minute, lasts, missing(kept, now, each, most)
end

local function spent(base, minute, lasts, user, full)
  local key = base .. minute
  if redis.call('HSET', key, user, full) == 1 and redis.call('HLEN', key) == 1 then
    redis.call('PEXPIRE', key, math.ceil(3 * lasts / 1000))
    -- Not left to expire where many talk: that would free all of it at once, and hold up everybody.
    redis.call('UNLINK', base .. (minute - 2))
  end
end
