# Entries under WEBrick: `ruby ada_logbook.rb PORT`; SEED holds content by path, STYLE is tags or dates.
require 'webrick'
require 'json'
require 'time'

STYLE = ENV.fetch('STYLE', 'tags')
AGE = ENV.fetch('AGE', '9000').to_f
BOOK = JSON.parse(ENV.fetch('SEED')).transform_values { |data| { data: data, rev: 1, at: Time.now - AGE } }
GUARD = Mutex.new

def tag(entry) = "\"v#{entry[:rev]}\""

class Page < WEBrick::HTTPServlet::AbstractServlet
  def service(req, res)
    GUARD.synchronize { run(req, res) }
  end

  def show(res, status, entry)
    res.status = status
    res['Last-Modified'] = entry[:at].httpdate if STYLE == 'dates'
    res['ETag'] = tag(entry) if STYLE == 'tags'
    return if status == 304

    res.content_type = 'application/json'
    res.body = JSON.generate(entry[:data].merge('revision' => entry[:rev]))
  end

  def refuse(res, status, text)
    res.status = status
    res.content_type = 'application/json'
    res.body = JSON.generate({ message: text, status: status })
  end

  def run(req, res)
    path = req.path
    return refuse(res, 200, 'ready') if path == '/ready'

    entry = BOOK[path]
    return read(req, res, path, entry) if %w[GET HEAD].include?(req.request_method)

    match = req['If-Match']
    return refuse(res, 412, 'entry has changed') if match && match != '*' && !(entry && match.split(/,\s*/).include?(tag(entry)))
    return refuse(res, 412, 'entry is there') if req['If-None-Match'] == '*' && entry

    since = req['If-Unmodified-Since']
    return refuse(res, 412, 'entry has changed') if since && entry && entry[:at].to_i > Time.httpdate(since).to_i

    write(req, res, path, entry)
  end

  def read(req, res, path, entry)
    unless entry
      below = BOOK.keys.select { |one| one.start_with?("#{path}/") }
      return refuse(res, 404, 'no such entry') if below.empty?

      res.content_type = 'application/json'
      res.body = JSON.generate(below)
      return
    end
    fresh = STYLE == 'tags' ? req['If-None-Match'] == tag(entry) : false
    fresh = entry[:at].to_i <= Time.httpdate(req['If-Modified-Since']).to_i if STYLE == 'dates' && req['If-Modified-Since']
    show(res, fresh ? 304 : 200, entry)
  end

  def write(req, res, path, entry)
    if req.request_method == 'DELETE'
      BOOK.delete(path)
      res.status = 204
      return
    end
    data = JSON.parse(req.body || '{}')
    data.delete('revision')
    data = entry[:data].merge(data) if req.request_method == 'PATCH' && entry
    BOOK[path] = { data: data, rev: entry ? entry[:rev] + 1 : 1, at: Time.now }
    show(res, entry ? 200 : 201, BOOK[path])
  end
end

server = WEBrick::HTTPServer.new(Port: ARGV[0].to_i, BindAddress: '127.0.0.1', AccessLog: [],
                                 Logger: WEBrick::Log.new(File::NULL))
server.mount('/', Page)
trap('TERM') { server.shutdown }
server.start
