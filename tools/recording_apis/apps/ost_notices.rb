# Notices of a parish on WEBrick: form posts, Atom, pictures below /files by WEBrick's own handler.
# Run with a port and a directory. SEED: JSON object of notices by number. FLAGS (comma-separated): unquoted (tags
# without quotes are compared as they are), sum (a tag is a sum of the whole board).
require 'webrick'
require 'json'
require 'digest'
BOARD = {}
FLAGS = (ENV['FLAGS'] || '').split(',')
JSON.parse(ENV['SEED'] || '{}').each { |no, one| BOARD[no] = { 'f' => one, 'v' => 3, 'by' => 'office' } }
GUARD = Mutex.new
def tag(no)
  return %("board-#{Digest::MD5.hexdigest(BOARD.to_a.to_s)[0, 12]}") if FLAGS.include?('sum')
  %("n#{no}.v#{BOARD[no]['v']}")
end
def entry(no)
  one = BOARD[no]
  lines = one['f'].map { |key, value| "  <n:#{key}>#{value}</n:#{key}>" }
  %(<entry xmlns="http://www.w3.org/2005/Atom" xmlns:n="urn:example:notice">\n  <id>urn:notice:#{no}</id>\n  <author><name>#{one['by']}</name></author>\n#{lines.join("\n")}\n</entry>\n)
end
class Notices < WEBrick::HTTPServlet::AbstractServlet
  def number(req) = req.path.split('/').last
  def refuse(res, status, text)
    res.status = status
    res['Content-Type'] = 'text/xml'
    res.body = "<error status=\"#{status}\">#{text}</error>\n"
  end
  def do_GET(req, res)
    if req.path == '/notices'
      res['Content-Type'] = 'application/atom+xml'
      res.body = %(<feed xmlns="http://www.w3.org/2005/Atom">\n#{BOARD.keys.map { |no| entry(no) }.join}</feed>\n)
      res['ETag'] = %("feed-#{Digest::SHA1.hexdigest(res.body)[0, 10]}")
      if req['If-None-Match'] == res['ETag']
        res.status = 304
        res.body = ''
      end
      return
    end
    no = number(req)
    return refuse(res, 404, 'no such notice') unless BOARD[no]
    res['ETag'] = tag(no)
    if req['If-None-Match'] == tag(no)
      res.status = 304
    else
      res['Content-Type'] = 'application/atom+xml;type=entry'
      res.body = entry(no)
    end
  end
  def do_PUT(req, res)
    no = number(req)
    GUARD.synchronize do
      match = req['If-Match']
      return refuse(res, 412, "notice #{no} exists") if req['If-None-Match'] == '*' && BOARD[no]
      if match
        return refuse(res, 412, "If-Match #{match}: there is no notice #{no}") unless BOARD[no]
        return refuse(res, 412, "If-Match #{match.encode(xml: :text)} is not #{tag(no)}") unless match == '*' || match == tag(no)
      end
      known = BOARD[no]
      fields = req.body.to_s.scan(%r{<n:(\w+)>([^<]*)</n:\1>}).to_h
      BOARD[no] = { 'f' => fields, 'v' => (known ? known['v'] : 0) + 1, 'by' => req['X-Editor'] || 'visitor' }
      res.status = known ? 200 : 201
      res['ETag'] = tag(no)
      res['Content-Type'] = 'application/atom+xml;type=entry'
      res.body = entry(no)
    end
  end
  def do_DELETE(req, res)
    no = number(req)
    return refuse(res, 404, 'no such notice') unless BOARD[no]
    return refuse(res, 412, 'not the version you saw') if req['If-Match'] && req['If-Match'] != tag(no)
    BOARD.delete(no)
    res.status = 204
  end
end
server = WEBrick::HTTPServer.new(Port: ARGV[0].to_i, BindAddress: '127.0.0.1', AccessLog: [], Logger: WEBrick::Log.new(File::NULL),
                                 ServerSoftware: 'WEBrick')
server.mount('/notices', Notices)
server.mount('/files', WEBrick::HTTPServlet::FileHandler, ARGV[1])
server.mount_proc('/-/up') { |_req, res| res.body = 'up' }
trap('TERM') { server.shutdown }
server.start
