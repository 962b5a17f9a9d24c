# Lines of text under WEBrick, a version a line number; HABIT says how conditions are read.
require 'webrick'
require 'json'
port = ARGV[0].to_i
texts = JSON.parse(ENV['ITEMS'] || '{}')
habit = ENV['HABIT'] || ''
revs = texts.keys.each_with_index.to_h { |path, n| [path, 7 + n] }
lock = Mutex.new
server = WEBrick::HTTPServer.new(Port: port, BindAddress: '127.0.0.1', AccessLog: [], Logger: WEBrick::Log.new(File::NULL))

class Mill < WEBrick::HTTPServlet::AbstractServlet
  def initialize(server, texts, revs, lock, habit)
    super(server)
    @texts, @revs, @lock, @habit = texts, revs, lock, habit
  end

  def service(request, response)
    @lock.synchronize { answer(request, response) }
  end

  def tag(path) = "\"L#{@revs[path].to_s(36)}-#{@texts[path].bytesize}\""

  def refused?(request, path)
    sent = request['If-Match']
    return false if sent.nil?
    return sent != tag(path) if @habit == 'literal' # the whole field is taken for one tag
    sent != '*' && !sent.split(/,\s*/).include?(tag(path))
  end

  def answer(request, response)
    path = request.path
    response['Content-Type'] = 'text/plain; charset=utf-8'
    return response.body = 'ok' if path == '/up'
    return read(request, response, path) if %w[GET HEAD].include?(request.request_method)
    if @texts.key?(path) && refused?(request, path)
      response.status = 412
      return response.body = "refusé\n"
    end
    response.status = @texts.key?(path) ? 204 : 201
    @texts[path] = request.body.to_s.dup.force_encoding('UTF-8')
    @revs[path] = (@revs[path] || 0) + 1
    response['ETag'] = tag(path)
  end

  def read(request, response, path)
    unless @texts.key?(path)
      below = @texts.keys.select { |one| one.start_with?("#{path.chomp('/')}/") }
      response.status = below.empty? ? 404 : 200
      return response.body = below.map { |one| "#{one}\t#{@texts[one].bytesize}\n" }.join
    end
    response['ETag'] = tag(path)
    return response.status = 304 if request['If-None-Match'] == tag(path)
    response.body = @texts[path]
  end
end

server.mount('/', Mill, texts, revs, lock, habit)
trap('TERM') { server.shutdown }
server.start
