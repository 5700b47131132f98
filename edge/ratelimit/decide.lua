-- Decides a batch of requests: each is charged on all of its windows, or on none.
--
-- `now`, in microseconds, is set by the line put before this file.
-- KEYS     the windows, request by request; a key belongs to one algorithm and window length.
-- ARGV[1]  per request: how many charges it has (B), when those were made that it gives back (I8,
--          0 to charge them now); per charge: is it on a log (B), is it a shadow (B), cost (I4),
--          limit (I4), window in microseconds (I8).
-- Answers  now (I8); per charge, unless given back: remaining (I4), reset_after_us (I8),
--          retry_after_us (i8, 0 where it fits, -1 for never): Verdict of edge/ratelimit/charge.py.
--          What is decided, and why, stands in edge/ratelimit/windows.py, which agrees in all.

local call, pack, unpack_bytes, sub = redis.call, struct.pack, struct.unpack, string.sub
local floor, max, min = math.floor, math.max, math.min

-- More arguments would not fit the stack of Lua.
local MOST_ARGUMENTS = 1000

local counter, log = {}, {}

-- A counter is a string: the number of its newest sub-window (I8), then the counts of eleven,
-- oldest first (I4). The oldest is counted in full.
local SUB_WINDOWS, BUCKETS = 10, 11
local COUNTER, LAST = '<I8I4I4I4I4I4I4I4I4I4I4I4', 48

local function counts_after(state, gone)
  return sub(state, 9 + 4 * gone) .. string.rep('\0', 4 * min(gone, BUCKETS))
end

function counter.weigh(c)
  local width = c.window / SUB_WINDOWS
  local newest = floor(now / width)
  local state = call('GET', c.key)
  local stored = state and unpack_bytes('<I8', state) or newest - BUCKETS
  c.is_new = newest > stored
  if c.is_new then
    state = pack('<I8', newest) .. counts_after(state or '', newest - stored)
  end
  local _, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11 = unpack_bytes(COUNTER, state)
  c.state, c.last, c.width = state, n11, width
  c.newest, c.at = max(newest, stored), max(now, stored * width)
  return n1 + n2 + n3 + n4 + n5 + n6 + n7 + n8 + n9 + n10 + n11
end

function counter.charge(c)
  local last = pack('<I4', c.last + c.cost)
  local reset = (c.newest + BUCKETS) * c.width - c.at
  if c.is_new then
    call('SET', c.key, sub(c.state, 1, LAST) .. last, 'PX', floor(reset / 1000) + 1)
  else
    call('SETRANGE', c.key, LAST, last)
  end
  return reset
end

-- How long until enough sub-windows are gone to free `needed` units; all that are used for nil.
function counter.freed_after(c, needed)
  local freed, last = 0, 0
  for position = 1, BUCKETS do
    local count = unpack_bytes('<I4', c.state, 4 * position + 5)
    freed = freed + count
    if count > 0 then last = position end
    if needed and freed >= needed then break end
  end
  return (c.newest + last) * c.width - c.at
end

function counter.give_back(c, charged_at)
  local state = call('GET', c.key)
  if not state then return end
  local newest = floor(charged_at / (c.window / SUB_WINDOWS))
  local position = newest - unpack_bytes('<I8', state) + BUCKETS
  if position < 1 or position > BUCKETS then return end
  local count = unpack_bytes('<I4', state, 4 * position + 5)
  call('SETRANGE', c.key, 4 * position + 4, pack('<I4', max(count - c.cost, 0)))
end

-- A log is a list: the time of every unit, oldest first.

local function stamp(key, index)
  local value = call('LINDEX', key, index)
  return value and tonumber(value)
end

-- Drops what has left the window: ever longer steps, then ever shorter ones.
local function drop_until(key, horizon)
  local function has_left(index)
    local at = stamp(key, index)
    return at and at <= horizon
  end
  local gone, step = 0, 1
  while has_left(gone + step - 1) do
    gone, step = gone + step, step * 2
  end
  while step > 1 do
    step = step / 2
    if has_left(gone + step - 1) then gone = gone + step end
  end
  if gone > 0 then call('LPOP', key, gone) end
end

function log.weigh(c)
  c.last = stamp(c.key, -1)
  c.at = max(now, c.last or 0)
  if not c.last then return 0 end
  drop_until(c.key, c.at - c.window)
  c.used = call('LLEN', c.key)
  return c.used
end

function log.charge(c)
  local left = c.cost
  while left > 0 do
    local times = {}
    for i = 1, min(left, MOST_ARGUMENTS) do times[i] = c.at end
    call('RPUSH', c.key, unpack(times))
    left = left - #times
  end
  call('PEXPIRE', c.key, floor(c.window / 1000) + 1)
  return c.window
end

function log.freed_after(c, needed)
  if c.used == 0 then return 0 end
  return (needed and stamp(c.key, needed - 1) or c.last) + c.window - c.at
end

function log.give_back(c, charged_at)
  if c.cost > 0 then call('LREM', c.key, -c.cost, string.format('%.0f', charged_at)) end
end

local terms, place, index = ARGV[1], 1, 0

local function read_charge(c)
  local is_log, is_shadow
  is_log, is_shadow, c.cost, c.limit, c.window, place = unpack_bytes('<BBI4I4I8', terms, place)
  index = index + 1
  c.key, c.algorithm, c.is_shadow = KEYS[index], is_log == 1 and log or counter, is_shadow == 1
end

local function all_fit(charges, count)
  local all = true
  for i = 1, count do
    local c = charges[i]
    c.used = c.algorithm.weigh(c)
    c.fits = c.used + c.cost <= c.limit
    all = all and (c.fits or c.is_shadow)
  end
  return all
end

local function verdict(c, is_admitted)
  local used, reset, retry = c.used, 0, 0
  if is_admitted and c.fits and c.cost > 0 then
    reset = c.algorithm.charge(c)
    used = used + c.cost
  elseif used > 0 then
    reset = c.algorithm.freed_after(c)
  end
  if c.cost > c.limit then
    retry = -1
  elseif not c.fits then
    retry = c.algorithm.freed_after(c, c.used + c.cost - c.limit)
  end
  return pack('<I4I8i8', max(c.limit - used, 0), reset, retry)
end

local answers, charges = {pack('<I8', now)}, {}
while place <= #terms do
  local count, charged_at
  count, charged_at, place = unpack_bytes('<BI8', terms, place)
  for i = 1, count do
    charges[i] = charges[i] or {} -- used again: a new table costs as much as reading a key
    read_charge(charges[i])
  end
  if charged_at == 0 then
    local is_admitted = all_fit(charges, count)
    for i = 1, count do answers[#answers + 1] = verdict(charges[i], is_admitted) end
  else
    for i = 1, count do charges[i].algorithm.give_back(charges[i], charged_at) end
  end
end
return table.concat(answers)
