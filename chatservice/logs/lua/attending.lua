-- begins with: alive
-- Who is in a room, by each worker that lives. KEYS[1] the workers that have somebody there, KEYS[2] all workers and
-- until when they live; ARGV[1] the beginning of the keys of whom one has. What the dead have left is removed here:
-- what nobody asks for may lie. Answers {worker, {id, user, id, user, …}, …}.
local answer = {}
for _, worker in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if is_alive(KEYS[2], worker) then
    answer[#answer + 1] = worker
    answer[#answer + 1] = redis.call('HGETALL', ARGV[1] .. worker)
  else
    redis.call('DEL', ARGV[1] .. worker)
    redis.call('SREM', KEYS[1], worker)
  end
end
return answer
