-- begins with: find
-- Messages as they stand, oldest first. ARGV[3] 'b' those below number ARGV[4], 'a' those above it, 'p' those before
-- that place; ARGV[5] how many.
-- Answers {epoch, whether there are more, the first number kept, seq, entry, record, seq, entry, record, …}.
local n, limit = tonumber(ARGV[4]), tonumber(ARGV[5])
local cards, from, to = redis.call('LLEN', KEYS[4]), 0, 0
if ARGV[3] == 'a' then
  from = beyond(KEYS[4], function(card) return leading(card) > n end)
  to = math.min(cards, from + limit)
elseif ARGV[3] == 'b' then
  to = beyond(KEYS[4], function(card) return leading(card) >= n end)
  from = math.max(0, to - limit)
else
  to = beyond(KEYS[4], function(card)
    return tonumber(string.match(entry_at(leading(card)), '^%S+ %S+ (%d+)')) >= n
  end)
  from = math.max(0, to - limit)
end
local more = from > 0
if ARGV[3] == 'a' then more = to < cards end
local answer = {epoch, more and 1 or 0, first}
if from < to then
  for _, card in ipairs(redis.call('LRANGE', KEYS[4], from, to - 1)) do
    local seq = leading(card)
    answer[#answer + 1] = seq
    answer[#answer + 1] = entry_at(seq)
    answer[#answer + 1] = record_of(seq)
  end
end
return answer
