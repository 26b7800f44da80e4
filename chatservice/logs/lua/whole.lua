-- How numbers are written and read.
--
-- Trap: Lua's `..` writes a number with 14 digits (2^53 has 16). `whole` writes all of them.
local function whole(n) return string.format('%.0f', n) end

-- The number with which an entry begins (when it was said, in ms), or a card (which message it is).
local function leading(words) return tonumber(string.match(words, '^%d+')) end
