# A pod of linked data on WEBrick in the manner of LDP and Solid: Turtle and JSON-LD documents, containers, tags.
# Environment: FLAGS, separated by commas: weak (tags are weak, compared strongly), each (a tag for each media type),
# late (the tag is compared after the store), stamp (tags are made of the time of the answer), need (428 without a
# condition), date (only dates, kept with fractions), lax (conditions are not read), head (HEAD has another tag).
# TARRY: seconds before the answer to the first write.
require "webrick"
require "json"
require "digest"
require "time"

FLAGS = (ENV["FLAGS"] || "").split(",")
PODS = {}
LOCK = Mutex.new
WAITS = [ENV["TARRY"].to_f]

def seed(path, text)
  PODS[path] = { text: text, at: Time.at(1_795_680_000 + path.length * 61 + 0.382), by: "https://alma.test/card#me" }
end
seed("/alma/profile/card", "<#me> a <http://xmlns.com/foaf/0.1/Person>; <http://xmlns.com/foaf/0.1/name> \"Alma Brandt\".\n")
seed("/alma/tasks/week-48.ttl", "<#t1> <urn:title> \"Order seeds\"; <urn:state> \"open\".\n<#t2> <urn:title> \"Prune\"; <urn:state> \"open\".\n")
seed("/alma/settings/prefs.ttl", "<> <urn:theme> \"dark\"; <urn:lang> \"de\".\n")
seed("/alma/contacts/people.ttl", "<#p1> <urn:name> \"Jo\". <#p2> <urn:name> \"Kit\".\n")

class Pod < WEBrick::HTTPServlet::AbstractServlet
  def service(request, response)
    response["WAC-Allow"] = 'user="read write append control",public="read"'
    response["Link"] = '<http://www.w3.org/ns/ldp#Resource>; rel="type"'
    response["X-Powered-By"] = "pod-server/5.8"
    return up(response) if request.path == "/-/up"
    return say(response, 401, "Unauthorized") unless request["Authorization"]
    if %w[PUT PATCH DELETE POST].include?(request.request_method) && WAITS[0] > 0
      wait = WAITS[0]
      WAITS[0] = 0
    end
    LOCK.synchronize { handle(request, response, request.path) }
    sleep(wait) if wait
  end

  def up(response)
    response.status = 200
    response.body = "up"
  end

  def say(response, status, text)
    response.status = status
    response["Content-Type"] = "text/plain"
    response.body = "#{status} #{text}\n"
  end

  def json?(request) = request["Accept"].to_s.include?("ld+json")

  def tag(request, kept)
    return format('"%x"', (Time.now.to_f * 1_000_000).to_i) if FLAGS.include?("stamp")
    form = FLAGS.include?("each") && (json?(request) || request["Content-Type"].to_s.include?("ld+json")) ? "ld+json" : "turtle"
    bare = Digest::SHA256.hexdigest(kept[:text] + form)[0, 22]
    bare = kept[:at].to_i.to_s + "-" + kept[:text].length.to_s if FLAGS.include?("head") && request.request_method == "HEAD"
    FLAGS.include?("weak") ? %(W/"#{bare}") : %("#{bare}")
  end

  def validators(request, response, kept)
    response["ETag"] = tag(request, kept) unless FLAGS.include?("date")
    response["Last-Modified"] = kept[:at].httpdate
    response["Vary"] = "Accept, Authorization, Origin"
    response["Updates-Via"] = "wss://pod.test/"
  end

  def list(response, path)
    inside = PODS.keys.select { |one| one.start_with?(path) }
    response["Content-Type"] = "text/turtle"
    response.body = "<> a <http://www.w3.org/ns/ldp#Container>;\n <http://www.w3.org/ns/ldp#contains> " +
                    inside.map { |one| "<#{one.delete_prefix(path)}>" }.join(", ") + ".\n"
  end

  def handle(request, response, path)
    kept = PODS[path]
    if %w[GET HEAD].include?(request.request_method)
      return list(response, path) if path.end_with?("/")
      return say(response, 404, "Can't find file requested: #{path}") unless kept
      validators(request, response, kept)
      return response.status = 304 if request["If-None-Match"] && request["If-None-Match"] == tag(request, kept)
      response["Content-Type"] = json?(request) ? "application/ld+json" : "text/turtle"
      response.body = json?(request) ? JSON.generate({ "@id" => path, "turtle" => kept[:text] }) : kept[:text]
    else
      write(request, response, path, kept)
    end
  end

  def refused(request, kept)
    return nil if FLAGS.include?("lax")
    match, none, since = request["If-Match"], request["If-None-Match"], request["If-Unmodified-Since"]
    return "Precondition Required: send If-Match" if FLAGS.include?("need") && !(match || none || since)
    return "If-Match: #{path_of(request)} does not exist" if match && !kept
    return "If-None-Match: the resource exists" if none == "*" && kept
    if match && match != "*"
      given = match.split(/,\s*/).reject { |one| one.start_with?("W/") }
      return "If-Match: the entity tag does not match" unless given.include?(tag(request, kept))
    end
    return older(since, kept) if since && kept && !match
    nil
  end

  def path_of(request) = request.path

  def older(since, kept)
    moment = Time.httpdate(since)
    kept[:at] > moment ? "If-Unmodified-Since: modified at #{kept[:at].utc.iso8601(3)}" : nil
  rescue ArgumentError
    "If-Unmodified-Since: cannot read #{since.inspect}"
  end

  def write(request, response, path, kept)
    problem = refused(request, kept)
    if problem && !FLAGS.include?("late")
      return say(response, problem.start_with?("Precondition Required") ? 428 : 412, problem)
    end
    return say(response, 404, "Not Found") if request.request_method == "DELETE" && !kept
    if request.request_method == "DELETE"
      PODS.delete(path)
      return response.status = 205
    end
    PODS[path] = { text: request.body.to_s, at: Time.now, by: request["Authorization"] }
    return say(response, 412, "If-Match: the entity tag does not match") if FLAGS.include?("late") && request["If-Match"]
    validators(request, response, PODS[path]) unless FLAGS.include?("date")
    response.status = kept ? 205 : 201
    response["Location"] = path unless kept
  end

  %w[GET HEAD PUT PATCH DELETE POST OPTIONS].each { |verb| define_method("do_#{verb}") { |request, response| service(request, response) } }
end

server = WEBrick::HTTPServer.new(Port: ARGV[0].to_i, BindAddress: "127.0.0.1", AccessLog: [], Logger: WEBrick::Log.new(File::NULL))
server.mount("/", Pod)
trap("TERM") { server.shutdown }
server.start
