# A brewery's recipe book on WEBrick: text records, versions in fields of its own, sums of md5 as tags.
# Environment: SEED recipes as JSON; HEADER=1 guards by X-Recipe-Version (409 on mismatch) instead of If-Match;
# SLIP=1 reports that refusal with status 200; EXPECT=1 takes changes as {"expect": {...}, "set": {...}}.
require "webrick"
require "json"
require "digest"

BOOK = JSON.parse(ENV["SEED"] || "{}").transform_values { |text| { text: text, version: 12, by: "cellar" } }
LOCK = Mutex.new

def tag(kept) = %("#{Digest::MD5.hexdigest(kept[:text])}")

def refuse(response, status, reason, more = {})
  response.status = status
  response["Content-Type"] = "application/json"
  response.body = JSON.generate({ ok: false, reason: reason }.merge(more)) + "\n"
end

def parsed(text) = text.lines.to_h { |line| line.strip.split(": ", 2) }

class Recipe < WEBrick::HTTPServlet::AbstractServlet
  def service(request, response)
    response["X-Batch"] = format("%08x", rand(1 << 32))
    LOCK.synchronize { handle(request, response, request.path.sub("/brew/", "")) }
  end

  def handle(request, response, name)
    kept = BOOK[name]
    if %w[GET HEAD].include?(request.request_method)
      return index(response) if name == "recipes"
      return refuse(response, 404, "unknown recipe") unless kept
      show(response, kept)
      response.status = 304 if request["If-None-Match"] == tag(kept)
      response.body = "" if response.status == 304
    elsif ENV["EXPECT"] && request.request_method == "POST"
      change(request, response, name, kept)
    else
      guarded(request, response, name, kept)
    end
  end

  def index(response)
    response["Content-Type"] = "text/plain"
    response.body = BOOK.map { |name, kept| "#{name} v#{kept[:version]}\n" }.join
  end

  def show(response, kept)
    response["Content-Type"] = "text/x-recipe"
    response["X-Recipe-Version"] = kept[:version].to_s
    response["ETag"] = tag(kept) unless ENV["HEADER"]
    response.body = kept[:text]
  end

  def guarded(request, response, name, kept)
    if ENV["HEADER"] && kept && request["X-Recipe-Version"].to_s != kept[:version].to_s
      return refuse(response, ENV["SLIP"] ? 200 : 409, "version mismatch",
                    yours: request["X-Recipe-Version"], ours: kept[:version], by: kept[:by])
    end
    match = request["If-Match"]
    if match && !(kept && (match == "*" || match.split(/,\s*/).include?(tag(kept))))
      return refuse(response, 412, kept ? "recipe changed" : "no such recipe")
    end
    return refuse(response, 412, "name is taken") if request["If-None-Match"] == "*" && kept
    if request.request_method == "DELETE"
      BOOK.delete(name)
      return response.status = 204
    end
    store(request, response, name, kept, request.body.to_s)
  end

  def store(request, response, name, kept, text)
    BOOK[name] = { text: text, version: (kept ? kept[:version] : 0) + 1, by: request["X-Brewer"] || "?" }
    show(response, BOOK[name])
    response.status = kept ? 200 : 201
  end

  def change(request, response, name, kept)
    return refuse(response, 404, "unknown recipe") unless kept
    asked = JSON.parse(request.body)
    now = parsed(kept[:text])
    wrong = asked["expect"].find { |field, value| now[field] != value }
    if wrong
      return refuse(response, 412, "expect.#{wrong[0]} does not hold", expected: wrong[1], found: now[wrong[0]])
    end
    store(request, response, name, kept, now.merge(asked["set"]).map { |f, v| "#{f}: #{v}\n" }.join)
  end
  alias do_GET service
end

server = WEBrick::HTTPServer.new(Port: Integer(ARGV[0]), BindAddress: "127.0.0.1", AccessLog: [],
                                 Logger: WEBrick::Log.new(nil, 0))
server.mount("/brew", Recipe)
server.mount_proc("/-/up") { |_, response| response.body = "up" }
trap("TERM") { server.shutdown }
server.start
