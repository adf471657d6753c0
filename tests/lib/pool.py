#!/usr/bin/env python3
"""pool.py SOCKET N PROGRAM - N processes of PROGRAM with one listening socket as standard input

What systemd does with confab-handler.socket and confab-handler@N.service: the socket outlives the processes, one that
ends is started again, SIGHUP ends and starts one after another, SIGTERM all.

SPDX-License-Identifier: MIT
"""
import os
import signal
import socket
import subprocess
import sys
import threading

path, count, program = sys.argv[1], int(sys.argv[2]), sys.argv[3]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o660)
listener.listen(4096)

stopping = False
children = []
anew = threading.Semaphore(0)


def keep(i):
    while not stopping:
        children[i] = subprocess.Popen([program], stdin=listener)
        children[i].wait()


def end(child):
    if child and child.poll() is None:
        child.terminate()


def rolling():
    while True:
        anew.acquire()
        for i in range(count):
            old = children[i]
            end(old)
            old.wait()
        print('restarted', file=sys.stderr, flush=True)


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGHUP, lambda *_: anew.release())
children = [None] * count
keepers = [threading.Thread(target=keep, args=(i,), daemon=True) for i in range(count)]
for keeper in keepers:
    keeper.start()
threading.Thread(target=rolling, daemon=True).start()
while not stopping:
    signal.pause()
for child in children:
    end(child)
for keeper in keepers:
    keeper.join()
