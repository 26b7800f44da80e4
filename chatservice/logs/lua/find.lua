-- begins with: fence, cards
-- Finding entries and messages.
--
-- KEYS[3] the log, a list: the entry of number n is at n - first, as `ts epoch place body`.
-- KEYS[4] the cards (cards.lua).
-- KEYS[5] the records, a hash: number of a message -> how it stands, if it was changed; `number:e` -> its edits. With an
-- archive also `number:l` -> the entry that changed it last, and `x:number` of that entry -> the message: a record
-- stays until that entry is trimmed, for only then it is sure that the archive knows of it.
--
-- Lists, not streams: an entry can be overwritten where it stands, which erasing needs, and a room with one message
-- takes 0.3 kB instead of 4.5.
local function entry_at(seq)
  if seq < first or seq > top then return false end
  return redis.call('LINDEX', KEYS[3], seq - first)
end

local function record_of(seq) return redis.call('HGET', KEYS[5], whole(seq)) end

-- What edits and deletions of a message need: its record, its entry, then number and entry of each edit.
local function all_of(seq)
  local found = {record_of(seq), entry_at(seq)}
  for edit in string.gmatch(redis.call('HGET', KEYS[5], whole(seq) .. ':e') or '', '%d+') do
    local entry = entry_at(tonumber(edit))
    if entry then
      found[#found + 1] = edit
      found[#found + 1] = entry
    end
  end
  return found
end

-- What an earlier try with the same cid has put there: its number and its entry, if that is still kept.
local function earlier(key)
  local seq = key ~= '' and redis.call('GET', key)
  if not seq then return nil end
  return {'dup', seq, entry_at(tonumber(seq))}
end
