-- begins with: trim, pace
-- Give an entry the room's next number, keep it, tell it: in one step, so that a number is never without its entry
-- and what is told is in the order of the numbers.
--
-- KEYS[6] what remembers the cid ('' without one), KEYS[7] the rooms by last use ('' for those that are on no list),
-- KEYS[8] when its author last spoke here, where the room is slow (else ''), KEYS[9] where it is counted
-- how much people have said lately (pace.lua; '' without a bound),
-- KEYS[10] the rooms of which the archive has not all ('' without an archive; else nothing goes that it has not).
-- ARGV: 3 ts, 4 body, 5 the room's channel, 6 how long the cid is remembered (ms), 7 entries kept, 8 card, 9 name,
-- 10 what is folded: '' nothing, 'rules', 'react', 'edit', 'delete';
-- then for rules 11 how they were, 12 how they are; for the others 11 number of the message, 12 its record as it was
-- read ('' if none), 13 its new record, and for `delete` pairs of number and body without words;
-- for nothing 11 between two messages of one author (ms), 12 what a message costs, 13 what one may save (µs), 14 the
-- author, 15… channels of people who are to know of it.
--
-- Answers {'dup', seq, entry} | {'again', …} if somebody was faster (with what a new try needs) | {'slow', ms} and
-- {'message', ms} if it came so much too soon | {'ok', seq, epoch, ts}.
--
-- Trap: with full memory the first write fails, before anything is changed; so nothing may be written before the
-- checks, and one script must not write a little and then fail. (fence.lua's write stands by itself.)
local before = earlier(KEYS[6])
if before then return before end

local fold, ref, kept = ARGV[10], 0, KEYS[10] ~= ''
if fold == 'rules' then
  if rules ~= ARGV[11] then return {'again', rules} end
  rules = ARGV[12]
elseif fold ~= '' then
  ref = tonumber(ARGV[11])
  local is_old = kept and ref < first  -- only the archive has its words
  if (record_of(ref) or '') ~= ARGV[12] or not (is_old or entry_at(ref)) then return {'again', unpack(all_of(ref))} end
end

local us, wait = moment(), 0
local minute, lasts, full
if KEYS[9] ~= '' then
  minute, lasts, full, wait = said_lately(KEYS[9], ARGV[14], us, tonumber(ARGV[12]), tonumber(ARGV[13]))
  if wait > 0 then return {'message', wait} end
end
local ms = math.floor(us / 1000)
if KEYS[8] ~= '' then
  wait = tonumber(redis.call('GET', KEYS[8]) or 0) + tonumber(ARGV[11]) - ms
  -- More than that: the server's clock was set back.
  if wait > 0 and wait <= tonumber(ARGV[11]) then return {'slow', wait} end
end

top = top + 1
ts = math.max(ts, tonumber(ARGV[3]))
-- Of all messages of all rooms the later one has the higher place; search pages by it.
place = math.max(place + 1, us)
local seq, stamp = whole(top), whole(ts)

redis.call('RPUSH', KEYS[3], stamp .. ' ' .. epoch .. ' ' .. whole(place) .. ' ' .. ARGV[4])
redis.call('HSET', KEYS[1], 'e', epoch, 's', seq, 'r', ARGV[1], 't', stamp, 'p', whole(place))
if ARGV[8] ~= '' then redis.call('RPUSH', KEYS[4], seq .. '\31' .. ARGV[8]) end
if KEYS[6] ~= '' then redis.call('SET', KEYS[6], seq, 'PX', ARGV[6]) end
if KEYS[8] ~= '' then redis.call('SET', KEYS[8], whole(ms), 'PX', ARGV[11]) end
if KEYS[9] ~= '' then spent(KEYS[9], minute, lasts, ARGV[14], full + tonumber(ARGV[12])) end
if KEYS[7] ~= '' then redis.call('ZADD', KEYS[7], whole(place), ARGV[9]) end
-- As long as it waits for the archive it is among those already.
if kept and (not head[9] or archived >= top - 1) then redis.call('SADD', KEYS[10], ARGV[9]) end

if fold == 'rules' then
  redis.call('HSET', KEYS[1], 'u', rules)
elseif fold ~= '' then
  redis.call('HSET', KEYS[5], whole(ref), ARGV[13])
  if kept then redis.call('HSET', KEYS[5], whole(ref) .. ':l', seq, 'x:' .. seq, whole(ref)) end
  if fold == 'edit' then
    local edits = whole(ref) .. ':e'
    redis.call('HSET', KEYS[5], edits, (redis.call('HGET', KEYS[5], edits) or '') .. seq .. ',')
  elseif fold == 'delete' then
    for i = 14, #ARGV, 2 do
      local n = tonumber(ARGV[i])
      if n >= first then
        local heading = string.match(entry_at(n), '^%S+ %S+ %S+ ')
        redis.call('LSET', KEYS[3], n - first, heading .. ARGV[i + 1])
      end
    end
    if ref >= first then
      local card = beyond(KEYS[4], function(one) return leading(one) >= ref end)
      redis.call('LSET', KEYS[4], card, whole(ref) .. '\31')
    end
  end
end

local told = seq .. ' ' .. epoch .. ' ' .. stamp .. ' ' .. ARGV[4]
redis.call('PUBLISH', ARGV[5], 'm' .. told)
if fold == '' then
  for i = 15, #ARGV do redis.call('PUBLISH', ARGV[i], 'k' .. ARGV[9] .. '\31' .. told) end
end

-- Many at once, now and then: a little more is kept than was asked for.
local surplus = top - first + 1 - tonumber(ARGV[7])
local many = math.min(64, tonumber(ARGV[7]))
if surplus >= many then
  if kept then trim(math.min(many, archived - first + 1), '') else trim(many, ARGV[5]) end
end
return {'ok', seq, epoch, stamp}
