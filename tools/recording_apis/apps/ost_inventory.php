<?php
// Assets of a town hall for PHP's built-in server: pages with forms for clerks, JSON for programs.
// Environment: SEED (JSON object by number), FLAGS (comma-separated): nonce (the tag is a hash of the page with
// its generation time), late (the version is compared after the update), demand, polite (a conflict in a form is
// a page with status 200), lang (the tag is that of the language asked for), plain (no tag is read).
$flags = explode(',', getenv('FLAGS') ?: '');
$file = getenv('APP_DIRECTORY') . '/assets.json';
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$method = $_SERVER['REQUEST_METHOD'];
header_remove('X-Powered-By');
function has($flag) { global $flags; return in_array($flag, $flags, true); }
function load() { global $file;
  if (!file_exists($file)) {
    $all = [];
    foreach (json_decode(getenv('SEED') ?: '{}', true) as $no => $one) {
      $all[$no] = ['data' => $one, 'version' => 5, 'editor' => 'migration', 'edited' => '2026-11-02 08:15:00'];
    }
    file_put_contents($file, json_encode($all));
  }
  return json_decode(file_get_contents($file), true); }
function save($all) { global $file; file_put_contents($file, json_encode($all)); }
function language() { return str_starts_with($_SERVER['HTTP_ACCEPT_LANGUAGE'] ?? '', 'de') ? 'de' : 'en'; }
function shown($no, $row) {
  $out = ['asset_no' => (string)$no] + $row['data'];
  if (has('lang')) $out['labels'] = language() === 'de' ? ['room' => 'Raum', 'state' => 'Zustand'] : ['room' => 'Room', 'state' => 'Condition'];
  $out += ['lock_version' => $row['version'], 'edited_by' => $row['editor'], 'edited_at' => $row['edited']];
  if (has('nonce')) $out['_generated'] = sprintf('%.6f', microtime(true));
  return $out; }
function tag($no, $row) { return '"' . substr(sha1(json_encode(shown($no, $row))), 0, 20) . '"'; }
function out($status, $body, $type = 'application/json', $extra = []) {
  http_response_code($status);
  header("Content-Type: $type");
  foreach ($extra as $name => $value) header("$name: $value");
  $text = is_string($body) ? $body : json_encode($body, JSON_UNESCAPED_SLASHES | JSON_PRETTY_PRINT);
  if ($status != 304) { header('Content-Length: ' . strlen($text)); echo $text; }
  exit; }
function page($status, $title, $inner) {
  out($status, "<!DOCTYPE html>\n<html><head><title>$title</title></head><body><h1>$title</h1>\n$inner\n</body></html>\n", 'text/html; charset=utf-8'); }
function problem($status, $title, $detail) {
  out($status, ['type' => 'about:blank', 'title' => $title, 'status' => $status, 'detail' => $detail], 'application/problem+json'); }
function user() { return $_SESSION['user'] ?? ($_SERVER['HTTP_X_CLERK'] ?? 'guest'); }

if ($path === '/-/up') out(200, 'up', 'text/plain');
session_save_path(getenv('APP_DIRECTORY'));
session_cache_limiter('');
if (isset($_COOKIE['PHPSESSID']) || $path === '/login') session_start();
$all = load();
if ($path === '/login') {
  if ($method === 'POST') { $_SESSION['user'] = $_POST['user']; http_response_code(303); header('Location: /assets'); exit; }
  page(200, 'Sign in', '<form method="post"><input name="user"><input name="password" type="password"></form>');
}
if ($path === '/assets') {
  $rows = '';
  foreach ($all as $no => $row) $rows .= "<li><a href=\"/assets/$no\">$no {$row['data']['name']}</a></li>";
  page(200, 'Assets', "<ul>$rows</ul><p>Signed in: " . user() . '</p>');
}
if (preg_match('~^/assets/(\d+)$~', $path, $m)) {
  $no = $m[1];
  if (!isset($all[$no])) page(404, 'Not found', '<p>No such asset.</p>');
  $row = $all[$no];
  if ($method === 'POST') {
    $version = $_POST['lock_version'] ?? null;
    if ($version === null && has('demand')) page(400, 'Bad form', '<p>Field lock_version must be present.</p>');
    if ($version !== null && (int)$version !== $row['version']) {
      page(has('polite') ? 200 : 412, 'Not saved', "<p class=\"flash error\">Your changes were NOT saved: {$row['editor']} has changed this asset meanwhile (version {$row['version']}, your form: $version).</p>");
    }
    unset($_POST['lock_version']);
    $all[$no] = ['data' => array_merge($row['data'], $_POST), 'version' => $row['version'] + 1, 'editor' => user(), 'edited' => gmdate('Y-m-d H:i:s')];
    save($all);
    http_response_code(303); header("Location: /assets/$no"); exit;
  }
  $inputs = '';
  foreach ($row['data'] as $name => $value) $inputs .= "<label>$name <input name=\"$name\" value=\"" . htmlspecialchars((string)$value) . "\"></label>\n";
  page(200, "Asset $no", "<form method=\"post\">\n<input type=\"hidden\" name=\"lock_version\" value=\"{$row['version']}\">\n$inputs<button>Save</button></form>\n<p>Last change: {$row['editor']}, {$row['edited']}</p>");
}
if ($path === '/api/assets.json') {
  out(200, ['assets' => array_map(fn($no) => shown($no, $all[$no]), array_keys($all))], 'application/json', ['ETag' => '"list-' . md5(json_encode($all)) . '"']);
}
if (preg_match('~^/api/assets/(\d+)\.json$~', $path, $m)) {
  $no = $m[1];
  $row = $all[$no] ?? null;
  $tag = $row ? tag($no, $row) : null;
  if ($method === 'GET' || $method === 'HEAD') {
    if (!$row) problem(404, 'Not Found', "asset $no is not in the register");
    if (($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === $tag) out(304, '', 'application/json', ['ETag' => $tag]);
    out(200, shown($no, $row), 'application/json', ['ETag' => $tag, 'Vary' => 'Accept-Language', 'Cache-Control' => 'private, no-cache']);
  }
  $wanted = has('plain') ? null : ($_SERVER['HTTP_IF_MATCH'] ?? null);
  if ($row && ($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === '*') problem(412, 'Precondition Failed', "asset $no exists");
  if ($row && $wanted === null && has('demand')) problem(428, 'Precondition Required', 'This register accepts changes only with If-Match.');
  $fails = $wanted !== null && $wanted !== '*' && $wanted !== $tag || ($wanted !== null && !$row);
  if ($fails && !has('late')) problem(412, 'Precondition Failed', "If-Match $wanted is not the current tag of asset $no");
  if ($method === 'DELETE') { unset($all[$no]); save($all); http_response_code(204); exit; }
  $body = json_decode(file_get_contents('php://input'), true);
  foreach (['asset_no', 'lock_version', 'edited_by', 'edited_at', '_generated', 'labels'] as $name) unset($body[$name]);
  if ($method === 'PATCH' && $row) $body = array_merge($row['data'], $body);
  $all[$no] = ['data' => $body, 'version' => ($row['version'] ?? 0) + 1, 'editor' => user(), 'edited' => gmdate('Y-m-d H:i:s')];
  save($all);
  $fresh = tag($no, $all[$no]);
  if (has('late') && $wanted !== null && $wanted !== $fresh) problem(412, 'Precondition Failed', "If-Match $wanted, found $fresh");
  out($row ? 200 : 201, shown($no, $all[$no]), 'application/json', ['ETag' => $fresh]);
}
problem(404, 'Not Found', "nothing at $path");
