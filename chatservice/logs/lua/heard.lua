-- begins with: moment, whole
-- All workers have heard the same words; one of them does what they ask for. KEYS[1] how often these words were heard
-- and taken, KEYS[2] who takes at present; ARGV[1] this worker's word for what it hears since ARGV[2] (ms), ARGV[3]
-- which time it is about ('' for one more), ARGV[4] for how long who takes goes on alone (ms), ARGV[5] for how long all
-- this is kept (ms). Answers {which time, 1 take it | 0 it was taken | 2 ask again}.
--
-- Words that are published twice are alike, so they are counted: a worker takes when it has heard them more often than
-- they were taken. One that hears only since a while has missed what was taken before that, and counts on from there.
-- What was published before and taken later makes it count too little, never too much: nothing is taken twice.
local ms = moment_ms()
local taken = tonumber(redis.call('HGET', KEYS[1], '#n') or '0')
local times = redis.call('HGET', KEYS[1], '#t') or ''
local heard
if ARGV[3] ~= '' then
  heard = tonumber(ARGV[3])
else
  if not redis.call('HGET', KEYS[1], ARGV[1]) then
    local since, known = 0, 0
    for at in string.gmatch(times, '%d+') do
      known = known + 1
      if tonumber(at) >= tonumber(ARGV[2]) then since = since + 1 end
    end
    if since == known and taken > known then since = 1 end
    redis.call('HSET', KEYS[1], ARGV[1], whole(taken - since))
  end
  heard = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
end
local verdict = 0
if heard > taken then
  local taker = redis.call('GET', KEYS[2])
  verdict = 2
  if not taker or taker == ARGV[1] then
    verdict = 1
    redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
    times = string.sub(times .. ' ' .. whole(ms), -64 * 14)
    redis.call('HSET', KEYS[1], '#n', whole(taken + 1), '#t', times)
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {heard, verdict}
