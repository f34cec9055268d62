-- What the console's pages ask for, in the shares of people at work, for wrk: each connection asks, waits for the answer and
-- pauses, so that all of them together send about RATE requests a second.
local file = io.open(os.getenv("TARGETS"))
local targets = {}
for line in file:lines() do
  local share, path = line:match("^(%d+) (.*)$")
  for _ = 1, tonumber(share) do targets[#targets + 1] = path end
end
file:close()
local pause_ms = 1000 * tonumber(os.getenv("CONNECTIONS")) / tonumber(os.getenv("RATE"))
local headers = { Authorization = "Bearer " .. os.getenv("TOKEN") }
local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init()
  bad = 0
  math.randomseed(os.time())
end

function delay()
  return math.floor(pause_ms * (0.5 + math.random()))
end

function request()
  return wrk.format("GET", targets[math.random(#targets)], headers)
end

function response(status)
  if status ~= 200 then bad = bad + 1 end
end

function done(summary, latency)
  local refused, e = 0, summary.errors
  for _, thread in ipairs(threads) do refused = refused + thread:get("bad") end
  io.write(string.format("RESULT %d %d %d %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), latency:percentile(99.9), latency.max, refused, e.connect + e.read + e.write + e.timeout))
end
