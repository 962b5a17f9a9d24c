# Sends what it is told on standard input with net/http, a JSON object a line, and answers a JSON object a line.
require 'net/http'
require 'json'
require 'base64'
port = ARGV[0].to_i
http = Net::HTTP.new('127.0.0.1', port, nil)
http.keep_alive_timeout = 20
http.max_retries = 0
$stdout.sync = true
$stdin.each_line do |line|
  ask = JSON.parse(line)
  begin
    http.start unless http.started?
    request = Net::HTTPGenericRequest.new(ask['method'], !ask['body'].nil?, ask['method'] != 'HEAD', ask['path'])
    request['Host'] = ask['host']
    ask['headers'].each { |name, value| request[name] = value }
    request.body = Base64.decode64(ask['body']) if ask['body']
    got = http.request(request)
    fields = {}
    got.each_header { |name, value| fields[name] = value }
    puts JSON.generate(status: got.code.to_i, fields: fields, body: Base64.strict_encode64(got.body.to_s))
  rescue StandardError
    http.finish if http.started?
    puts JSON.generate(status: 0, fields: {}, body: '')
  end
end
