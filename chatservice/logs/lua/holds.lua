-- begins with: moment
-- What of the chat this server has. KEYS[1] what is kept of the map of partitions, KEYS[2] the workers and until when
-- they live (ms), KEYS[3…] two for each partition: its id, and what that is called while the partition is moved away.
-- Answers {map, how many workers live, partition, partition, …}.
local ms = moment_ms()
local answer = {redis.call('GET', KEYS[1]) or '', redis.call('ZCOUNT', KEYS[2], ms, '+inf')}
for i = 3, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[i], KEYS[i + 1]) > 0 then answer[#answer + 1] = (i - 3) / 2 end
end
return answer
