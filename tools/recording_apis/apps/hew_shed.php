<?php
// Records in files under PHP's own server; one stamp a record, or one a folder when SCOPE is set.
$dir = getenv('HEW_DIR');
$path = rtrim(strtok($_SERVER['REQUEST_URI'], '?'), '/');
$mode = getenv('HEW_MODE') ?: '';
$method = $_SERVER['REQUEST_METHOD'];
function place(string $dir, string $path): string { return $dir . '/' . str_replace('/', '~', trim($path, '/')); }
function out(int $code, $data, array $more = []): void {
  http_response_code($code);
  foreach ($more as $name => $value) header("$name: $value");
  header('X-Powered-By: PHP');
  if ($data === null) exit;
  header('Content-Type: application/json; charset=utf-8');
  echo json_encode($data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
  exit;
}
$file = place($dir, $path);
if (is_file("$file.log")) out(200, array_map('json_decode', array_reverse(file("$file.log"))));
if (is_file("$file.fix")) out(200, json_decode(file_get_contents("$file.fix")));
if (!is_file("$file.rec")) {
  $all = [];
  foreach (glob("$file~*.rec") as $one) {
    $rec = json_decode(file_get_contents($one), true);
    $all[] = ['nr' => substr(basename($one, '.rec'), strlen(basename($file)) + 1)] + $rec['d'];
  }
  $all ? out(200, $all) : out(404, ['fehler' => 404]);
}
$rec = json_decode(file_get_contents("$file.rec"), true);
$scope = $mode === 'scope' ? place($dir, dirname($path)) . '.stamp' : null;
$stamp = $scope ? (int) file_get_contents($scope) : $rec['v'];
if ($method === 'GET') out(200, $scope ? ['stand' => $stamp] + $rec['d'] : $rec['d'] + ['stand' => $stamp]);
$body = json_decode(file_get_contents('php://input'), true) ?: [];
$sent = $body['stand'] ?? ($_SERVER['HTTP_X_STAND'] ?? null);
unset($body['stand']);
if ($sent === null && $mode === 'need') out(400, ['code' => 'E-107', 'feld' => 'stand']);
if ($sent !== null && (int) $sent !== $stamp) out(409, ['code' => 'E-211']);
usleep((int) (getenv('HEW_SLOW') ?: 0) * 1000);
$rec['d'] = array_merge($rec['d'], $body);
$rec['v'] = $stamp + 1;
file_put_contents("$file.rec", json_encode($rec));
if ($scope) file_put_contents($scope, (string) ($stamp + 1));
$who = $_SERVER['HTTP_X_USER'] ?? '-';
$line = ['um' => gmdate('H:i:s') . sprintf('.%03d', (int) (fmod(microtime(true), 1) * 1000)), 'wer' => $who, 'stand' => $stamp + 1, 'neu' => $body];
file_put_contents(place($dir, '/protokoll') . '.log', json_encode($line, JSON_UNESCAPED_UNICODE) . "\n", FILE_APPEND);
out(200, ['stand' => $stamp + 1]);
