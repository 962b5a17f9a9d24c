import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;

/** Tariff sheets of a ferry line as plain text; HABIT is empty, "lax", "nano" or "weakok". */
public class OraTide {
  record Sheet(String text, long version, Instant changed) {}

  static final Map<String, Sheet> SHEETS = new ConcurrentHashMap<>();
  static final String HABIT = System.getenv().getOrDefault("HABIT", "");
  static final DateTimeFormatter IMF = DateTimeFormatter.RFC_1123_DATE_TIME;

  static String tag(Sheet sheet) {
    return "\"" + Long.toString(sheet.version() * 7919 + 100003, 36) + "\"";
  }

  static String date(Instant moment) {
    return IMF.format(ZonedDateTime.ofInstant(moment, ZoneOffset.UTC));
  }

  static boolean since(String sent, Sheet sheet) {
    try {
      Instant held = Instant.from(IMF.parse(sent));
      Instant changed = HABIT.equals("nano") ? sheet.changed() : Instant.ofEpochSecond(sheet.changed().getEpochSecond());
      return !changed.isAfter(held);
    } catch (DateTimeParseException unreadable) {
      return !HABIT.equals("lax");
    }
  }

  static int judge(HttpExchange exchange, Sheet sheet) {
    var asked = exchange.getRequestHeaders();
    boolean safe = exchange.getRequestMethod().equals("GET") || exchange.getRequestMethod().equals("HEAD");
    String match = asked.getFirst("If-Match"), none = asked.getFirst("If-None-Match");
    String unmodified = asked.getFirst("If-Unmodified-Since");
    if (match != null) {
      if (sheet == null || !(match.equals("*") || match.contains(tag(sheet)) && !match.startsWith("W/"))) return 412;
    } else if (unmodified != null && sheet != null && !since(unmodified, sheet)) return 412;
    if (none != null && sheet != null && (none.equals("*") || none.contains(tag(sheet)))) return safe ? 304 : 412;
    return 0;
  }

  static void say(HttpExchange exchange, int status, Sheet sheet, String text) throws IOException {
    if (sheet != null) {
      exchange.getResponseHeaders().set("ETag", tag(sheet));
      exchange.getResponseHeaders().set("Last-Modified", date(sheet.changed()));
    }
    exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
    byte[] octets = text.getBytes(StandardCharsets.UTF_8);
    boolean bare = status == 304 || status == 204 || exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, bare ? -1 : octets.length);
    if (!bare) exchange.getResponseBody().write(octets);
    exchange.close();
  }

  static void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath(), method = exchange.getRequestMethod();
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    if (path.equals("/-/ready")) { say(exchange, 200, null, "ok"); return; }
    synchronized (SHEETS) {
      Sheet sheet = SHEETS.get(path);
      int status = judge(exchange, sheet);
      if (status == 412) { say(exchange, 412, null, "Precondition failed for " + path + "\n"); return; }
      if (method.equals("GET") || method.equals("HEAD")) {
        if (sheet == null) {
          String list = String.join("\n", SHEETS.keySet().stream().filter(k -> k.startsWith(path)).sorted().toList());
          say(exchange, list.isEmpty() ? 404 : 200, null, list + "\n");
        } else say(exchange, status == 304 ? 304 : 200, sheet, sheet.text());
        return;
      }
      if (method.equals("DELETE")) { SHEETS.remove(path); say(exchange, 204, null, ""); return; }
      Sheet made = new Sheet(body, sheet == null ? 1 : sheet.version() + 1, Instant.now());
      SHEETS.put(path, made);
      say(exchange, sheet == null ? 201 : 204, made, "");
    }
  }

  public static void main(String[] arguments) throws IOException {
    String[] seed = System.getenv().getOrDefault("SEED", "").split("\u001e");
    for (int i = 0; i + 1 < seed.length; i += 2) {
      SHEETS.put(seed[i], new Sheet(seed[i + 1], 11 + i, Instant.now().minusSeconds(90000L + i * 777).plusNanos(412000000)));
    }
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", OraTide::handle);
    server.start();
  }
}
