<?php
// publish_zmq.php - publish over ZeroMQ with php-zmq and wait for the answer
//
//   [PUSH_ROUTER=ipc:///run/confab/push/router.sock] php publish_zmq.php CHANNEL DATA
//
// For push_publish_router. Where no answer is needed: SOCKET_PUSH to push_publish_pull, without recv.
// SPDX-License-Identifier: MIT
declare(strict_types=1);

const PATIENCE_MS = 10000;

if ($argc !== 3) {
    fwrite(STDERR, "usage: php publish_zmq.php CHANNEL DATA\n");
    exit(2);
}
$socket = new ZMQSocket(new ZMQContext(), ZMQ::SOCKET_REQ);
$socket->setSockOpt(ZMQ::SOCKOPT_LINGER, 0);        // a relay that is away shall not hold us at the end
$socket->setSockOpt(ZMQ::SOCKOPT_RCVTIMEO, PATIENCE_MS);
$socket->connect(getenv('PUSH_ROUTER') ?: 'ipc:///run/confab/push/router.sock');

// channel, data, and optionally a third frame: {"idempotency_key":"...", "tags":{...}, ...}
$socket->sendMulti([$argv[1], $argv[2]]);

$text = $socket->recv();
if ($text === false) {
    fwrite(STDERR, "no answer\n");
    exit(1);
}
$answer = json_decode($text, true, 512, JSON_THROW_ON_ERROR);
if (isset($answer['error'])) {
    fwrite(STDERR, "{$answer['error']['code']}: {$answer['error']['message']}\n");
    exit(1);
}
echo json_encode($answer['result']), "\n";
