# Sends what it is told on standard input, a JSON object a line, with Net::HTTP; answers a JSON object a line.
require 'net/http'
require 'json'
require 'uri'
$stdout.sync = true
port = ARGV[0].to_i
open = {}
STDIN.each_line do |line|
  asked = JSON.parse(line)
  uri = URI(asked['url'])
  begin
    http = open[uri.host] ||= Net::HTTP.new('127.0.0.1', port, nil).tap { |h| h.read_timeout = 10; h.max_retries = 0; h.start }
    request = Net::HTTPGenericRequest.new(asked['method'], !asked['body'].nil?, asked['method'] != 'HEAD', uri.request_uri)
    request['Host'] = uri.host
    asked['headers'].each { |name, value| request[name] = value }
    request.body = asked['body'].unpack1('m') if asked['body']
    got = http.request(request)
    told = { status: got.code.to_i, fields: got.each_header.to_a, body: [got.body || ''].pack('m0') }
  rescue StandardError
    open.delete(uri.host)
    told = { status: 0, fields: [], body: '' }
  end
  puts JSON.generate(told)
end
