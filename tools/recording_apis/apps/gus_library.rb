# Imitations after their documentation, on WEBrick: a Zotero library and GoCD's pipeline configurations.
require 'webrick'
require 'json'
require 'digest'
port, mode = ARGV
server = WEBrick::HTTPServer.new(Port: port.to_i, BindAddress: '127.0.0.1', AccessLog: [],
                                 Logger: WEBrick::Log.new(File::NULL), ServerSoftware: mode == 'gocd' ? 'Jetty(9.4)' : 'Apache')
class WEBrick::HTTPServlet::ProcHandler
  alias do_PATCH do_POST
  alias do_PUT do_POST
end
server.mount_proc('/-/up') { |_q, r| r.body = 'up' }

def told(response, status, body, head = {})
  response.status = status
  head.each { |name, value| response[name] = value.to_s }
  return if body.nil?

  response['Content-Type'] ||= body.is_a?(String) ? 'text/plain' : 'application/json'
  response.body = body.is_a?(String) ? body : JSON.generate(body)
end

def library(server)
  version = 5120
  items = { 'QK7RWE2P' => { version: 5077, data: { 'itemType' => 'book', 'title' => 'Histoire des digues', 'place' => 'Gand', 'extra' => '' } },
            'M4T9X0ZC' => { version: 5120, data: { 'itemType' => 'thesis', 'title' => 'Polders et wateringues', 'extra' => '' } },
            'B2HHA81L' => { version: 4410, data: { 'itemType' => 'map', 'title' => 'Ferraris 12', 'extra' => '' } } }
  shown = ->(key) { { key: key, version: items[key][:version], library: { type: 'group', id: 90_211 }, data: { key: key, version: items[key][:version] }.merge(items[key][:data]) } }
  server.mount_proc('/groups/90211/items') do |request, response|
    key = request.path.split('/')[4]
    base = { 'Zotero-API-Version' => 3, 'Zotero-Schema-Version' => 34 }
    if request.request_method == 'GET' && key
      told(response, 200, shown.call(key), base.merge('Last-Modified-Version' => items[key][:version]))
    elsif request.request_method == 'GET'
      since = request.query['since'].to_i
      found = items.keys.select { |one| items[one][:version] > since }
      told(response, 200, found.map(&shown), base.merge('Last-Modified-Version' => version, 'Total-Results' => found.size))
    else
      given = request['if-unmodified-since-version']
      changes = JSON.parse(request.body)
      if given.nil?
        told(response, 428, 'If-Unmodified-Since-Version not provided', base)
      elsif given.to_i != version && !key
        told(response, 412, "Library has been modified since specified version (expected #{given}, found #{version})", base.merge('Last-Modified-Version' => version))
      else
        version += 1
        changes = [changes.merge('key' => key)] if key
        changes.each { |one| items[one['key']] = { version: version, data: items[one['key']][:data].merge(one.reject { |name, _| %w[key version].include?(name) }) } }
        done = changes.each_with_index.to_h { |one, n| [n.to_s, one['key']] }
        told(response, key ? 204 : 200, key ? nil : { success: done, unchanged: {}, failed: {} }, base.merge('Last-Modified-Version' => version))
      end
    end
  end
  server.mount_proc('/keys/current') { |_q, r| told(r, 200, { userID: 771_203, username: 'digues', access: { groups: { all: { library: true, write: true } } } }) }
end

def pipelines(server)
  kept = { 'lackierung' => { 'label_template' => '${COUNT}', 'lock_behavior' => 'none', 'name' => 'lackierung', 'group' => 'linie3' } }
  kind = 'application/vnd.go.cd.v11+json; charset=utf-8'
  tag = ->(name) { "\"#{Digest::SHA256.hexdigest(JSON.generate(kept[name]))}\"" }
  server.mount_proc('/go/api/admin/pipelines') do |request, response|
    name = request.path.split('/')[5]
    if request.request_method == 'GET'
      told(response, 200, kept[name], 'Content-Type' => kind, 'ETag' => tag.call(name), 'Cache-Control' => 'max-age=0, private, must-revalidate')
    elsif request['if-match'].nil? || request['if-match'].sub('--gzip', '') != tag.call(name)
      told(response, 412, { message: "Someone has modified the configuration for pipeline '#{name}'. Please update your copy of the config with the changes." }, 'Content-Type' => kind)
    else
      kept[name] = JSON.parse(request.body)
      told(response, 200, kept[name], 'Content-Type' => kind, 'ETag' => tag.call(name))
    end
  end
  server.mount_proc('/go/api/version') { |_q, r| told(r, 200, { version: '24.5.0', build_number: '19913' }, 'Content-Type' => 'application/vnd.go.cd.v1+json; charset=utf-8') }
  server.mount_proc('/go/api/pipelines/lackierung/status') { |_q, r| told(r, 200, { paused: false, locked: false, schedulable: true }, 'Content-Type' => 'application/vnd.go.cd.v1+json; charset=utf-8') }
end

mode == 'gocd' ? pipelines(server) : library(server)
trap('TERM') { server.shutdown }
server.start
