-- Asks Edge whether a request may go on, and whose it is.

local EDGE = "abns@edge-8090"
-- More than the section `edge` takes to give up: then this never counts, and nothing waits forever.
local TIMEOUT_MS = 7000

local IDENTITY = { "subject", "user", "roles", "scopes", "method", "assertion" }

-- What is about the connection or the body, which Edge does not get.
local NOT_ASKED = {
    ["connection"] = true,
    ["content-length"] = true,
    ["expect"] = true,
    ["host"] = true,
    ["keep-alive"] = true,
    ["proxy-connection"] = true,
    ["te"] = true,
    ["trailer"] = true,
    ["transfer-encoding"] = true,
    ["upgrade"] = true,
}

-- What the client gets of a refusal.
local TOLD = { "content-type", "cache-control", "retry-after", "www-authenticate", "x-request-id" }

-- HAProxy counts values from 0, and its client from 1.
local function counted_from_1(values)
    local copy = {}
    for number = 0, #values do
        copy[number + 1] = values[number]
    end
    return copy
end

local function question(txn)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not NOT_ASKED[name] then
            headers[name] = counted_from_1(values)
        end
    end
    headers["x-forwarded-method"] = { txn.f:method() }
    headers["x-forwarded-uri"] = { txn.f:pathq() }
    return headers
end

local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status, reason = "", body = answer.body })
    for _, name in ipairs(TOLD) do
        if answer.headers[name] then
            reply:add_header(name, answer.headers[name][0])
        end
    end
    txn:done(reply)
end

local function is_problem(answer)
    local kind = answer.headers["content-type"]
    return kind ~= nil and kind[0] == "application/problem+json"
end

core.register_action("ask_edge", { "http-req" }, function(txn)
    local answer = core.httpclient():get({
        url = "http://edge/forward/haproxy",
        dst = EDGE,
        headers = question(txn),
        timeout = TIMEOUT_MS,
    })
    if not answer or not answer.headers then
        return
    end
    if answer.status == 200 and answer.headers["x-auth-subject"] then
        for _, name in ipairs(IDENTITY) do
            txn:set_var("txn.edge_" .. name, answer.headers["x-auth-" .. name][0])
        end
        txn:set_var("txn.edge_allows", true)
    elseif is_problem(answer) then
        refuse(txn, answer)
    end
end)
