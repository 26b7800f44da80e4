-- begins with: find
-- What a fold needs to know. KEYS[6] what remembers the cid; ARGV[3] the number of the message, -1 for none.
-- Answers {'dup', seq, entry} | {'look', rules, …} with what `all_of` says.
local before = earlier(KEYS[6])
if before then return before end
local ref = tonumber(ARGV[3])
if ref < 0 then return {'look', rules} end
return {'look', rules, unpack(all_of(ref))}
