<?php
// A cloud of files and a weblog for PHP's built-in server, in the manner of Nextcloud (WebDAV with OC-ETag, XML of
// SabreDAV) and WordPress (REST without conditions, autosaves).
// Environment: APP_DIRECTORY, FLAGS (commas): copy (the old path answers 302), plain (If-Match is not read),
// bulk (412 "multiple" when a search in an upsert finds more than one), locks (files_lock).
$flags = explode(',', getenv('FLAGS') ?: '');
$store = getenv('APP_DIRECTORY') . '/store.json';
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$method = $_SERVER['REQUEST_METHOD'];
header_remove('X-Powered-By');
function has($flag) { global $flags; return in_array($flag, $flags, true); }
function field($name) { return $_SERVER['HTTP_' . strtoupper(str_replace('-', '_', $name))] ?? null; }
if (!file_exists($store)) {
  $seed = ['files' => [], 'posts' => [], 'contacts' => []];
  foreach (['Documents/budget.csv' => "item,eur\nrent,1200\npower,180\n", 'Documents/minutes.md' => "# Minutes\n\n- nothing yet\n",
    'Notes/todo.md' => "- call Ada\n- book train\n", 'Photos/index.txt' => "IMG_0001 harbour\nIMG_0002 bridge\n"] as $name => $text)
    $seed['files'][$name] = ['text' => $text, 'etag' => md5($name . 'seed'), 'id' => 300 + strlen($name), 'lock' => null, 'at' => 1795600000];
  foreach ([1 => 'Opening hours', 2 => 'Winter market'] as $id => $title)
    $seed['posts'][$id] = ['title' => $title, 'content' => "<p>$title.</p>", 'status' => 'publish', 'modified_gmt' => '2026-11-20T09:12:40', 'author' => 1];
  $seed['contacts'] = [['id' => 51, 'email' => 'jo@mail.test', 'name' => 'Jo Lund'], ['id' => 52, 'email' => 'jo@mail.test', 'name' => 'Johanna Lund'], ['id' => 53, 'email' => 'kit@mail.test', 'name' => 'Kit']];
  file_put_contents($store, json_encode($seed));
}
$all = json_decode(file_get_contents($store), true);
function save() { global $store, $all; file_put_contents($store, json_encode($all)); }
function out($status, $body = '', $type = 'application/json; charset=UTF-8', $extra = []) {
  http_response_code($status);
  header("Content-Type: $type");
  foreach ($extra as $name => $value) header("$name: $value");
  $text = is_string($body) ? $body : json_encode($body, JSON_UNESCAPED_SLASHES);
  if ($status != 304) header('Content-Length: ' . strlen($text));
  if ($GLOBALS['method'] !== 'HEAD' && $status != 304) echo $text;
  exit; }
function sabre($status, $exception, $message, $more = '') {
  out($status, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">\n  <s:exception>Sabre\\DAV\\Exception\\$exception</s:exception>\n  <s:message>$message</s:message>$more\n</d:error>\n", 'application/xml; charset=utf-8'); }
if ($path === '/-/up') out(200, 'up', 'text/plain');
if ($path === '/status.php') out(200, ['installed' => true, 'maintenance' => false, 'versionstring' => '30.0.2', 'productname' => 'Nextcloud']);

if (str_starts_with($path, '/wp-json/')) {
  header('X-WP-Nonce: ' . substr(md5((string)microtime(true)), 0, 10));
  if (!preg_match('~^/wp-json/wp/v2/posts/(\d+)(/autosaves)?$~', $path, $m))
    out(200, array_map(fn($id, $p) => ['id' => $id, 'title' => ['rendered' => $p['title']], 'modified_gmt' => $p['modified_gmt']], array_keys($all['posts']), $all['posts']), extra: ['X-WP-Total' => '2', 'X-WP-TotalPages' => '1']);
  $post = $all['posts'][$m[1]] ?? null;
  if (!$post) out(404, ['code' => 'rest_post_invalid_id', 'message' => 'Invalid post ID.', 'data' => ['status' => 404]]);
  $show = fn($p) => ['id' => (int)$m[1], 'date_gmt' => '2026-11-01T08:00:00', 'modified_gmt' => $p['modified_gmt'], 'status' => $p['status'], 'title' => ['raw' => $p['title'], 'rendered' => $p['title']], 'content' => ['raw' => $p['content'], 'protected' => false], 'author' => $p['author']];
  if ($method === 'GET') out(200, $show($post), extra: ['Allow' => 'GET, POST, PUT, PATCH, DELETE', 'ETag' => '"' . md5(json_encode($post)) . '"', 'Last-Modified' => gmdate('D, d M Y H:i:s', strtotime($post['modified_gmt'] . 'Z')) . ' GMT']);
  if (!field('Authorization')) out(401, ['code' => 'rest_cannot_edit', 'message' => 'Sorry, you are not allowed to edit this post.', 'data' => ['status' => 401]]);
  if (isset($m[2])) out(200, ['id' => 900 + (int)$m[1], 'parent' => (int)$m[1], 'modified_gmt' => gmdate('Y-m-d\TH:i:s')]);
  foreach (json_decode(file_get_contents('php://input'), true) as $name => $value) $post[$name] = $value;
  $post['modified_gmt'] = gmdate('Y-m-d\TH:i:s');
  $all['posts'][$m[1]] = $post; save();
  out(200, $show($post), extra: ['ETag' => '"' . md5(json_encode($post)) . '"']);
}
if ($path === '/crm/contacts') {
  parse_str($_SERVER['QUERY_STRING'] ?? '', $query);
  $hits = array_keys(array_filter($all['contacts'], fn($one) => $one['email'] === ($query['email'] ?? '')));
  if ($method === 'GET') out(200, ['results' => array_map(fn($i) => $all['contacts'][$i], $hits ?: array_keys($all['contacts'])), 'total' => count($hits ?: $all['contacts'])]);
  if (count($hits) > 1) out(412, ['status' => 'error', 'category' => 'AMBIGUOUS_MATCH', 'message' => count($hits) . ' contacts match email=' . $query['email'] . '; an upsert needs at most one', 'correlationId' => bin2hex(random_bytes(8))]);
  $sent = json_decode(file_get_contents('php://input'), true);
  if ($hits) { $all['contacts'][$hits[0]] = array_merge($all['contacts'][$hits[0]], $sent); save(); out(200, $all['contacts'][$hits[0]]); }
  $all['contacts'][] = ['id' => 60 + count($all['contacts']), 'email' => $query['email']] + $sent; save();
  out(201, end($all['contacts']));
}
if (!preg_match('~^/remote\.php/(dav/files/\w+|webdav)/(.*)$~', $path, $m)) out(404, 'Not Found', 'text/plain');
if (!field('Authorization')) { header('WWW-Authenticate: Basic realm="Nextcloud", charset="UTF-8"'); sabre(401, 'NotAuthenticated', 'No public access to this resource., No \'Authorization: Basic\' header found.'); }
if ($m[1] === 'webdav' && has('copy')) out(302, '', 'text/plain', ['Location' => '/remote.php/dav/files/ada/' . $m[2]]);
$name = $m[2];
$file = $all['files'][$name] ?? null;
$tags = fn($f) => ['ETag' => '"' . $f['etag'] . '"', 'OC-ETag' => '"' . $f['etag'] . '"', 'OC-FileId' => sprintf('%08docabc', $f['id'])];
if ($method === 'PROPFIND') {
  $inner = '';
  foreach ($all['files'] as $one => $f) if ($name === '' || str_starts_with($one, $name)) $inner .= " <d:response><d:href>/remote.php/dav/files/ada/$one</d:href><d:propstat><d:prop><d:getetag>&quot;{$f['etag']}&quot;</d:getetag><d:getcontentlength>" . strlen($f['text']) . "</d:getcontentlength></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\n";
  out(207, "<?xml version=\"1.0\"?>\n<d:multistatus xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\">\n$inner</d:multistatus>\n", 'application/xml; charset=utf-8'); }
if (in_array($method, ['LOCK', 'UNLOCK'], true)) {
  $all['files'][$name]['lock'] = $method === 'LOCK' ? (field('Authorization')) : null; save();
  out($method === 'LOCK' ? 200 : 204, '', 'application/xml', ['X-User-Lock' => '1']); }
if ($method === 'GET' || $method === 'HEAD') {
  if (!$file) sabre(404, 'NotFound', "File with name $name could not be located");
  if (field('If-None-Match') === '"' . $file['etag'] . '"') out(304, '', 'text/plain', $tags($file));
  out(200, $file['text'], 'text/plain;charset=UTF-8', $tags($file) + ['Last-Modified' => gmdate('D, d M Y H:i:s', $file['at']) . ' GMT', 'Content-Disposition' => 'attachment; filename="' . basename($name) . '"']); }
if ($file && $file['lock'] && $file['lock'] !== field('Authorization')) sabre(423, 'Locked', "\"$name\" is locked by Ines (files_lock)", "\n  <d:lock-token-submitted><d:href>/remote.php/dav/files/ada/$name</d:href></d:lock-token-submitted>");
$match = field('If-Match');
if ($match !== null && !has('plain')) {
  if (!$file) sabre(412, 'PreconditionFailed', 'An If-Match header was specified and the resource did not exist', "\n  <s:header>If-Match</s:header>");
  if ($match !== '*' && !in_array('"' . $file['etag'] . '"', preg_split('~,\s*~', $match), true)) sabre(412, 'PreconditionFailed', 'An If-Match header was specified, but none of the specified ETags matched.', "\n  <s:header>If-Match</s:header>"); }
if (field('If-None-Match') === '*' && $file) sabre(412, 'PreconditionFailed', 'An If-None-Match header was specified, but the ETag matched (or * was specified).', "\n  <s:header>If-None-Match</s:header>");
if ($method === 'DELETE') { if (!$file) sabre(404, 'NotFound', "File with name $name could not be located"); unset($all['files'][$name]); save(); out(204, '', 'text/plain'); }
$text = file_get_contents('php://input');
$all['files'][$name] = ['text' => $text, 'etag' => md5($name . microtime(true)), 'id' => $file['id'] ?? 700 + count($all['files']), 'lock' => $file['lock'] ?? null, 'at' => (int)(field('X-OC-MTime') ?? time())];
save();
out($file ? 204 : 201, '', 'text/html; charset=UTF-8', $tags($all['files'][$name]) + ['X-OC-MTime' => 'accepted']);
