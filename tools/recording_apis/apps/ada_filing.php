<?php
// Records as files under PHP's own server: `php -S HOST:PORT ada_filing.php`. FILING is the folder, STYLE one of
// strict, slow (looks first and stores later), dates (Last-Modified only, read with strtotime).
$folder = getenv('FILING');
$style = getenv('STYLE') ?: 'strict';
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$file = $folder . '/' . str_replace('/', '_', trim($path, '/')) . '.json';
$method = $_SERVER['REQUEST_METHOD'];

function say($status, $data, $etag = null, $file = null) {
    http_response_code($status);
    global $style;
    if ($file !== null && $style === 'dates') header('Last-Modified: ' . gmdate('D, d M Y H:i:s', filemtime($file)) . ' GMT');
    if ($etag !== null && $style !== 'dates') header('ETag: ' . $etag);
    if ($data === null) exit;
    header('Content-Type: application/json');
    $text = json_encode($data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    header('Content-Length: ' . strlen($text));
    echo $text;
    exit;
}
function tag($file) { return '"' . substr(md5_file($file), 0, 12) . '"'; }

if ($path === '/ready.php') say(200, ['ready' => true]);
clearstatcache();
$there = is_file($file);
if ($method === 'GET' || $method === 'HEAD') {
    if (!$there) say(404, ['error' => 'no such record']);
    $etag = tag($file);
    if ($style !== 'dates' && ($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === $etag) say(304, null, $etag);
    $since = $_SERVER['HTTP_IF_MODIFIED_SINCE'] ?? null;
    if ($style === 'dates' && $since !== null && filemtime($file) <= (int) strtotime($since)) say(304, null, null, $file);
    say(200, json_decode(file_get_contents($file), true), $etag, $file);
}
$match = $_SERVER['HTTP_IF_MATCH'] ?? null;
if ($match !== null && $match !== '*' && (!$there || $match !== tag($file))) {
    say(412, ['error' => 'precondition failed', 'hint' => 'the record is not the one you read']);
}
if (($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === '*' && $there) say(412, ['error' => 'exists']);
$since = $_SERVER['HTTP_IF_UNMODIFIED_SINCE'] ?? null;
if ($style === 'dates' && $since !== null && $there && filemtime($file) > (int) strtotime($since)) {
    say(412, ['error' => 'modified since', 'given' => $since]);
}
if ($style === 'slow') usleep(350000);
if ($method === 'DELETE') {
    if (!$there) say(404, ['error' => 'no such record']);
    unlink($file);
    say(204, null);
}
$sent = json_decode(file_get_contents('php://input'), true);
if ($method === 'PATCH' && $there) $sent = array_merge(json_decode(file_get_contents($file), true), $sent);
file_put_contents($file, json_encode($sent));
clearstatcache();
say($there ? 200 : 201, $sent, tag($file), $file);
