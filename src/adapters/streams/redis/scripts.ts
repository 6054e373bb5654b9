/** Appends the fields ARGV[2..], unless the stream has ARGV[1] entries or more. */
export const APPEND = `
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return false end
return redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))`;

/** Deletes all entries before the first one that some group has not yet read and acknowledged. */
export const TRIM = `
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
local ms, seq
local function keep(id, after)
  local m, s = string.match(id, '^(%d+)-(%d+)$')
  m, s = tonumber(m), tonumber(s) + after
  if ms == nil or m < ms or (m == ms and s < seq) then ms, seq = m, s end
end
for _, group in ipairs(groups) do
  local is = {}
  for i = 1, #group, 2 do is[group[i]] = group[i + 1] end
  keep(is['last-delivered-id'], 1)
  if is['pending'] > 0 then keep(redis.call('XPENDING', KEYS[1], is['name'])[2], 0) end
end
if ms then redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-%.0f', ms, seq)) end`;

/**
 * Acknowledges the ids ARGV[2..] for the group ARGV[1]. Deletes them at once if it is the only group of the
 * stream; otherwise trims the entries that every group has acknowledged.
 */
export const ACK = `
redis.call('XACK', KEYS[1], unpack(ARGV))
if #redis.call('XINFO', 'GROUPS', KEYS[1]) == 1 then redis.call('XDEL', KEYS[1], unpack(ARGV, 2)) return end
${TRIM}`;

/**
 * Removes the consumers of group ARGV[1] that have no pending entries and were idle for ARGV[2] ms or are named
 * ARGV[3]. Atomic, because removing a consumer also drops the entries that are pending for it.
 */
export const DELETE_IDLE_CONSUMERS = `
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local is = {}
  for i = 1, #consumer, 2 do is[consumer[i]] = consumer[i + 1] end
  if is['pending'] == 0 and (is['idle'] >= tonumber(ARGV[2]) or is['name'] == ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], is['name'])
  end
end
return true`;
