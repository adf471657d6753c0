<?php
// publish.php - publish over the HTTP API with PHP's curl
//
//   PUSH_KEY=... [PUSH_URL=http://127.0.0.1:8082] php publish.php CHANNEL DATA
//
// DATA is one JSON value. In an application call push_api() with any method of the API.
// SPDX-License-Identifier: MIT
declare(strict_types=1);

/** One call of the server API: its result, or an exception. */
function push_api(string $url, string $key, string $method, array $params): array
{
    $curl = curl_init("$url/api/$method");
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => json_encode($params, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION),
        CURLOPT_HTTPHEADER => ["X-API-Key: $key", 'Content-Type: application/json'],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 10,
    ]);
    $body = curl_exec($curl);
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    if ($body === false)
        throw new RuntimeException('no answer: ' . curl_error($curl));
    if ($status !== 200)
        throw new RuntimeException("status $status: $body");
    $answer = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
    if (isset($answer['error']))
        throw new RuntimeException("{$answer['error']['code']}: {$answer['error']['message']}");
    return $answer['result'];
}

if ($argc !== 3 || !getenv('PUSH_KEY')) {
    fwrite(STDERR, "usage: PUSH_KEY=... php publish.php CHANNEL DATA\n");
    exit(2);
}
try {
    $result = push_api(getenv('PUSH_URL') ?: 'http://127.0.0.1:8082', getenv('PUSH_KEY'), 'publish',
        ['channel' => $argv[1], 'data' => json_decode($argv[2], false, 512, JSON_THROW_ON_ERROR)]);
    echo json_encode($result), "\n";
} catch (Exception $e) {
    fwrite(STDERR, $e->getMessage() . "\n");
    exit(1);
}
