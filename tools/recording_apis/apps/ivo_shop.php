<?php
// A shop's storefront interface after Shopware 6: contexts, categories, a cart; sales channels by access key.
declare(strict_types=1);
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$key = $_SERVER['HTTP_SW_ACCESS_KEY'] ?? '';
$known = ['SWSCB1YZSMR6OVBXAUNOVGPPNW' => 'de', 'SWSCAHDVQVDJBLJQBGXMEXVWNW' => 'at'];
header('Content-Type: application/json');
header('sw-version-id: 0fa91ce3e96a4bc2be4bd9ce752c3425');

function problem(int $status, string $code, string $title, string $detail): void
{
    http_response_code($status);
    echo json_encode(['errors' => [['status' => (string) $status, 'code' => $code, 'title' => $title, 'detail' => $detail]]]);
    exit;
}

if ($path === '/api/_info/health-check') {
    echo '{}';
    exit;
}
if ($key === '') {
    problem(401, 'FRAMEWORK__UNAUTHORIZED', 'Unauthorized', 'Header "sw-access-key" is required.');
}
if (!isset($known[$key])) {
    problem(412, 'FRAMEWORK__ROUTING_SALES_CHANNEL_NOT_FOUND', 'Precondition Failed', 'No matching sales channel found.');
}
$token = $_SERVER['HTTP_SW_CONTEXT_TOKEN'] ?? 'h5Xk2pQv8sLw';
header("sw-context-token: $token");
$answers = [
    'POST /store-api/product' => ['total' => 1, 'elements' => [['id' => '018f3a', 'productNumber' => 'TEA-04', 'stock' => 12]]],
    'GET /store-api/context' => ['token' => $token, 'currency' => ['isoCode' => 'EUR'], 'salesChannel' => ['name' => $known[$key]]],
    'POST /store-api/checkout/cart/line-item' => ['token' => $token, 'lineItems' => [['id' => '018f3a', 'quantity' => 2]]],
    'GET /store-api/checkout/cart' => ['token' => $token, 'lineItems' => []],
];
$found = $answers["{$_SERVER['REQUEST_METHOD']} $path"] ?? null;
if ($found === null) {
    problem(404, '0', 'Not Found', "No route found for $path");
}
echo json_encode($found + ['apiAlias' => 'store_api']);
