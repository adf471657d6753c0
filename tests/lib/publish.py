#!/usr/bin/env python3
"""publish.py - sends over ZeroMQ what a test wants sent, frame by frame

    publish.py keys                                     a CURVE key pair: public, secret
    publish.py push|req|dealer ENDPOINT [SERVER PUBLIC SECRET]

Reads messages from standard input, a line each: a JSON list of frames in base64. req waits for each answer, dealer
sends all and then waits for as many; answers are printed the same way. The keys are CURVE's, of the server and our own.
SPDX-License-Identifier: MIT
"""
import base64
import json
import sys

import zmq

PATIENCE_MS = 15000
KINDS = {"push": zmq.PUSH, "req": zmq.REQ, "dealer": zmq.DEALER}


def answer(socket):
    frames = [base64.b64encode(frame).decode() for frame in socket.recv_multipart()]
    print(json.dumps(frames), flush=True)


def main():
    if sys.argv[1] == "keys":
        public, secret = zmq.curve_keypair()
        print(public.decode(), secret.decode())
        return
    kind = sys.argv[1]
    socket = zmq.Context.instance().socket(KINDS[kind])
    socket.setsockopt(zmq.RCVTIMEO, PATIENCE_MS)
    socket.setsockopt(zmq.SNDTIMEO, PATIENCE_MS)
    socket.setsockopt(zmq.LINGER, PATIENCE_MS if kind == "push" else 0)
    socket.setsockopt(zmq.SNDHWM, 0)
    if len(sys.argv) > 3:
        socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = (
            key.encode() for key in sys.argv[3:6])
    socket.connect(sys.argv[2])
    sent = 0
    for line in sys.stdin:
        socket.send_multipart([base64.b64decode(frame) for frame in json.loads(line)])
        sent += 1
        if kind == "req":
            answer(socket)
    for _ in range(sent if kind == "dealer" else 0):
        answer(socket)
    socket.close()
    zmq.Context.instance().term()


try:
    main()
except zmq.Again:
    sys.exit("no answer")
