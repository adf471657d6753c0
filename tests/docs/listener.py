#!/usr/bin/env python3
"""listener.py SOCKET OWNER GROUP MODE ORDERS - holds a listening socket and starts services on it, as systemd does

Each line of the pipe ORDERS is a command; its process gets the socket as standard input, and its number is written to
the file that the line's first word names.

SPDX-License-Identifier: MIT
"""
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys

path, owner, group, mode, orders = sys.argv[1:]
signal.signal(signal.SIGCHLD, signal.SIG_IGN)       # nobody here waits for them
os.makedirs(os.path.dirname(path), exist_ok=True)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
shutil.chown(path, owner, group)
os.chmod(path, int(mode, 8))
listener.listen(1024)
os.mkfifo(orders)
while True:
    with open(orders) as lines:
        for line in lines:
            pid_file, *command = shlex.split(line)
            child = subprocess.Popen(command, stdin=listener)
            with open(pid_file + '.new', 'w') as f:
                f.write(str(child.pid))
            os.rename(pid_file + '.new', pid_file)
