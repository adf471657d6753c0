-- get.lua TARGET - the same page again and again
-- SPDX-License-Identifier: MIT
dofile((os.getenv("BENCH_DIR") or "bench") .. "/report.lua")
