-- post.lua DIALOG MEMBERS - 200 bytes, from each member in turn
-- SPDX-License-Identifier: MIT
dofile((os.getenv("BENCH_DIR") or "bench") .. "/report.lua")

local target, members
local turn = 0
local headers = { ["Content-Type"] = "application/json" }
local body = '{"content":"' .. string.rep("All work and no play... ", 9):sub(1, 200) .. '"}'

function init(args)
    target = "/api/v1/dialogs/" .. args[1] .. "/messages?user_id=u"
    members = tonumber(args[2])
end

function request()
    turn = turn + 1
    return wrk.format("POST", target .. turn % members, headers, body)
end
