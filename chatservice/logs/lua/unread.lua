-- begins with: cards
-- What a user has not read. KEYS[1] the cards, KEYS[2] the room's head; ARGV[1] the number up to which it has read,
-- ARGV[2] its id, ARGV[3] up to how many are counted. Answers {messages of others, those that name the user, the
-- oldest number that is here}.
local after, most = tonumber(ARGV[1]), tonumber(ARGV[3])
local low = beyond(KEYS[1], function(card) return leading(card) > after end)
local last = low + 4096
local others, mentions = 0, 0
local me, called = '\31' .. ARGV[2] .. '\31', ARGV[2] .. '\31'
while others < most or mentions < most do
  local cards = redis.call('LRANGE', KEYS[1], low, low + 255)
  for _, card in ipairs(cards) do
    -- seq US author US mention US mention US
    local author = string.match(card, '^%d+(\31[^\31]+\31)')
    if author then
      if author ~= me then others = others + 1 end
      if string.find(card, '\31' .. called, #string.match(card, '^%d+\31[^\31]+'), true) then
        mentions = mentions + 1
      end
    end
  end
  low = low + 256
  -- A busy room must not hold up all others: four thousand are looked at, which takes a millisecond.
  if #cards < 256 or low > last then break end
end
return {math.min(others, most), math.min(mentions, most), tonumber(redis.call('HGET', KEYS[2], 'o') or 1)}
