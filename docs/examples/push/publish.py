#!/usr/bin/env python3
"""publish.py - publish over ZeroMQ (pyzmq), or over HTTP with the standard library alone

    PUSH_KEY=... [PUSH_URL=http://127.0.0.1:8082] publish.py http CHANNEL DATA
    [PUSH_ROUTER=ipc:///run/confab/push/router.sock]  publish.py router CHANNEL DATA
    [PUSH_PULL=ipc:///run/confab/push/pull.sock]      publish.py pull CHANNEL DATA

DATA is one JSON value. pull is fire and forget: it prints nothing.
SPDX-License-Identifier: MIT
"""
import json
import os
import sys
import urllib.request

PATIENCE_S = 10


def by_http(channel, data):
    url = os.environ.get("PUSH_URL", "http://127.0.0.1:8082") + "/api/publish"
    body = json.dumps({"channel": channel, "data": json.loads(data)}).encode()
    request = urllib.request.Request(url, body, {"X-API-Key": os.environ["PUSH_KEY"],
                                                 "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


def by_router(channel, data):
    import zmq
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVTIMEO, PATIENCE_S * 1000)
    socket.connect(os.environ.get("PUSH_ROUTER", "ipc:///run/confab/push/router.sock"))
    socket.send_multipart([channel.encode(), data.encode()])
    return json.loads(socket.recv())


def by_pull(channel, data):
    import zmq
    json.loads(data)                # nobody will tell us that it is none
    socket = zmq.Context.instance().socket(zmq.PUSH)
    socket.setsockopt(zmq.LINGER, PATIENCE_S * 1000)
    socket.connect(os.environ.get("PUSH_PULL", "ipc:///run/confab/push/pull.sock"))
    socket.send_multipart([channel.encode(), data.encode()])
    socket.close()
    zmq.Context.instance().term()   # waits until it has left
    return {}


ways = {"http": by_http, "router": by_router, "pull": by_pull}
if len(sys.argv) != 4 or sys.argv[1] not in ways:
    sys.exit(__doc__)
answer = ways[sys.argv[1]](sys.argv[2], sys.argv[3])
if "error" in answer:
    sys.exit("%(code)d: %(message)s" % answer["error"])
if "result" in answer:
    print(json.dumps(answer["result"]))
