// An energy supplier's metering configuration on the JDK's own server: XML records, entity tags in base64.
// Environment: SEED records as path=value lines; RULE=1 refuses tariffs above 0.60 with 412; STATUS=409 says
// refusals by that status; PLAIN=1 cannot do conditions (501); TICKET=seconds a change ticket lives; BINDING=1
// refuses If-None-Match with tags in a list.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

public class JonMeters {
  record Kept(String text, int serial, String by) {}
  static final Map<String, Kept> STORE = new TreeMap<>();
  static final Map<String, Long> TICKETS = new ConcurrentHashMap<>();
  static final AtomicInteger COUNT = new AtomicInteger(70410);

  static String env(String name) { return System.getenv().getOrDefault(name, ""); }

  static String tag(String path, Kept kept) {
    byte[] raw = (Integer.toHexString(path.hashCode()) + "#" + kept.serial()).getBytes(StandardCharsets.UTF_8);
    return "\"" + Base64.getEncoder().encodeToString(raw) + "\"";
  }

  static void answer(HttpExchange exchange, int status, String text) throws java.io.IOException {
    exchange.getResponseHeaders().set("X-Corr", "mtr-" + COUNT.incrementAndGet());
    if (status == 204 || status == 304) { exchange.sendResponseHeaders(status, -1); exchange.close(); return; }
    exchange.getResponseHeaders().set("Content-Type", "application/xml; charset=utf-8");
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, exchange.getRequestMethod().equals("HEAD") ? -1 : body.length);
    if (!exchange.getRequestMethod().equals("HEAD")) exchange.getResponseBody().write(body);
    exchange.close();
  }

  static void fault(HttpExchange exchange, int status, String code, String text) throws java.io.IOException {
    answer(exchange, status, "<Fault code=\"" + code + "\"><Text>" + text + "</Text></Fault>");
  }

  static String shown(String path, Kept kept) {
    return "<Config href=\"" + path + "\" serial=\"" + kept.serial() + "\" by=\"" + kept.by() + "\">" + kept.text() + "</Config>";
  }

  static synchronized void serve(HttpExchange exchange) throws java.io.IOException {
    String path = exchange.getRequestURI().getPath(), method = exchange.getRequestMethod();
    var fields = exchange.getRequestHeaders();
    String sent = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    Kept kept = STORE.get(path);
    if (path.equals("/-/up")) { answer(exchange, 200, "<Up/>"); return; }
    if (path.equals("/ems/heartbeat")) { answer(exchange, 204, ""); return; }
    if (path.equals("/ems/tickets") && method.equals("POST")) {
      String id = "CT-" + COUNT.incrementAndGet();
      TICKETS.put(id, System.currentTimeMillis());
      answer(exchange, 201, "<Ticket id=\"" + id + "\" valid=\"PT" + env("TICKET") + "S\"/>");
      return;
    }
    if (method.equals("GET") || method.equals("HEAD")) {
      if (kept == null) { list(exchange, path); return; }
      if (env("PLAIN").isEmpty()) exchange.getResponseHeaders().set("ETag", tag(path, kept));
      String known = fields.getFirst("If-None-Match");
      if (known != null && known.contains(tag(path, kept))) { answer(exchange, 304, ""); return; }
      answer(exchange, 200, shown(path, kept));
      return;
    }
    String match = fields.getFirst("If-Match"), none = fields.getFirst("If-None-Match");
    if (!env("PLAIN").isEmpty() && (match != null || none != null)) {
      fault(exchange, 501, "CONDITION_UNSUPPORTED", "Conditional requests are not implemented by this store.");
      return;
    }
    if (!env("TICKET").isEmpty()) {
      Long born = TICKETS.get(String.valueOf(fields.getFirst("X-Change-Ticket")));
      if (born == null) { fault(exchange, 403, "TICKET_MISSING", "Obtain a change ticket first."); return; }
      if (System.currentTimeMillis() - born > Double.parseDouble(env("TICKET")) * 1000) {
        fault(exchange, 412, "TICKET_LAPSED", "The change ticket is no longer valid.");
        return;
      }
    }
    if (match != null && (kept == null || !(match.equals("*") || match.equals(tag(path, kept))))) {
      int status = env("STATUS").isEmpty() ? 412 : Integer.parseInt(env("STATUS"));
      String serial = kept == null ? "none" : String.valueOf(kept.serial());
      fault(exchange, status, "CONFIG_SUPERSEDED", "Configuration has been superseded; current serial " + serial + ".");
      return;
    }
    if ("*".equals(none) && kept != null) { fault(exchange, 412, "CONFIG_PRESENT", "Configuration is present."); return; }
    if (!env("RULE").isEmpty() && sent.matches("(?s).*<Rate>0\\.(6[1-9]|[789]\\d)</Rate>.*")) {
      fault(exchange, 412, "TARIFF_CEILING", "Rule 14b: a household tariff must not exceed 0.60 per kWh.");
      return;
    }
    if (method.equals("DELETE")) { STORE.remove(path); answer(exchange, kept == null ? 404 : 204, "<Gone/>"); return; }
    String by = String.valueOf(fields.getFirst("X-Operator"));
    Kept made = new Kept(sent, kept == null ? 1 : kept.serial() + 1, by);
    STORE.put(path, made);
    exchange.getResponseHeaders().set("ETag", tag(path, made));
    if (!env("PLAIN").isEmpty()) exchange.getResponseHeaders().remove("ETag");
    answer(exchange, kept == null ? 201 : 200, shown(path, made));
  }

  static void list(HttpExchange exchange, String path) throws java.io.IOException {
    StringBuilder text = new StringBuilder("<Configs>");
    for (var one : STORE.entrySet()) {
      if (one.getKey().startsWith(path + "/")) text.append("<Ref href=\"").append(one.getKey()).append("\"/>");
    }
    if (text.length() == 9) { fault(exchange, 404, "NO_CONFIG", "Nothing here."); return; }
    answer(exchange, 200, text.append("</Configs>").toString());
  }

  public static void main(String[] arguments) throws Exception {
    for (String line : env("SEED").split("\n")) {
      int cut = line.indexOf('=');
      if (cut > 0) STORE.put(line.substring(0, cut), new Kept(line.substring(cut + 1), 8, "migration"));
    }
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 16);
    server.createContext("/", exchange -> {
      try { serve(exchange); } catch (RuntimeException broken) { fault(exchange, 500, "INTERNAL", broken.toString()); }
    });
    server.setExecutor(Executors.newFixedThreadPool(6));
    server.start();
  }
}
