import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.zip.CRC32;

/**
 * A vault of CAD documents: XML in and out, check-out locks, tags of a checksum and a revision letter.
 * Environment: SEED lines of number|title|material; NODE mixed into tags; LOCKS=1 wants a check-out before a
 * write; TARRY milliseconds until the answer to the first write; BIG=1 long drawings; NEED=1 wants a condition.
 */
public class IdaVault {
  static final class Document {
    String title, material, author = "import", lock;
    int revision = 3;
    Instant changed = Instant.now().minusSeconds(611_000);
  }

  static final Map<String, Document> STORE = new LinkedHashMap<>();
  static boolean tarried = false;

  static String setting(String name) {
    return System.getenv().getOrDefault(name, "");
  }

  static String tag(String number, Document one) {
    CRC32 sum = new CRC32();
    String text = number + one.title + one.material + one.revision + setting("NODE");
    sum.update(text.getBytes(StandardCharsets.UTF_8));
    return String.format("\"%08X.%c\"", sum.getValue(), 'A' + one.revision % 26);
  }

  static String xml(String number, Document one) {
    String body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<document number=\"" + number + "\" revision=\"" + one.revision
        + "\" changedBy=\"" + one.author + "\"" + (one.lock == null ? "" : " checkedOut=\"true\"") + ">\n"
        + "  <title>" + one.title + "</title>\n  <material>" + one.material + "</material>\n";
    if (!setting("BIG").isEmpty()) {
      body += "  <note>" + "Tolerances after ISO 2768-mK unless stated. ".repeat(24) + "</note>\n";
    }
    return body + "</document>\n";
  }

  static String between(String text, String name) {
    int from = text.indexOf("<" + name + ">"), to = text.indexOf("</" + name + ">");
    return from < 0 || to < 0 ? "" : text.substring(from + name.length() + 2, to);
  }

  static void send(HttpExchange call, int status, String text) throws IOException {
    byte[] content = text.getBytes(StandardCharsets.UTF_8);
    call.getResponseHeaders().set("X-Vault-Trace", UUID.randomUUID().toString().substring(24));
    if (content.length > 0) {
      call.getResponseHeaders().set("Content-Type", "application/xml; charset=UTF-8");
    }
    boolean empty = status == 304 || status == 204 || call.getRequestMethod().equals("HEAD");
    call.sendResponseHeaders(status, empty ? -1 : content.length);
    if (!empty) {
      call.getResponseBody().write(content);
    }
    call.close();
  }

  static void refuse(HttpExchange call, int status, String code, String text) throws IOException {
    send(call, status, "<error code=\"" + code + "\"><text>" + text + "</text></error>\n");
  }

  static void mark(HttpExchange call, String number, Document one) {
    call.getResponseHeaders().set("ETag", tag(number, one));
    String date = DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
        .withZone(ZoneOffset.UTC).format(one.changed);
    call.getResponseHeaders().set("Last-Modified", date);
  }

  static synchronized int change(HttpExchange call, String number, String sent) throws IOException {
    Document one = STORE.get(number);
    String match = call.getRequestHeaders().getFirst("If-Match"), none = call.getRequestHeaders().getFirst("If-None-Match");
    if ("*".equals(none) && one != null) {
      refuse(call, 412, "V-1007", "document number is in use");
      return 412;
    }
    if (match != null && !match.equals("*") && (one == null || !match.contains(tag(number, one)) || match.startsWith("W/"))) {
      refuse(call, 412, one == null ? "V-1004" : "V-1001", one == null ? "no such document" : "revision is not the current one");
      return 412;
    }
    if (match == null && none == null && one != null && !setting("NEED").isEmpty()) {
      refuse(call, 428, "V-1010", "state the revision with If-Match");
      return 428;
    }
    String key = call.getRequestHeaders().getFirst("Lock-Token");
    if (one != null && one.lock != null && !("<" + one.lock + ">").equals(key)) {
      refuse(call, key == null ? 423 : 412, "V-2003", "document is checked out; Lock-Token does not name that check-out");
      return 423;
    }
    if (one != null && one.lock == null && (key != null || !setting("LOCKS").isEmpty())) {
      refuse(call, 412, "V-2004", "document is not checked out by you");
      return 412;
    }
    boolean fresh = one == null;
    if (call.getRequestMethod().equals("DELETE")) {
      STORE.remove(number);
      send(call, fresh ? 404 : 204, "");
      return 204;
    }
    one = fresh ? new Document() : one;
    one.title = between(sent, "title");
    one.material = between(sent, "material");
    one.revision = fresh ? 1 : one.revision + 1;
    one.changed = Instant.now();
    String who = call.getRequestHeaders().getFirst("X-Vault-User");
    one.author = who == null ? "anonymous" : who;
    STORE.put(number, one);
    return fresh ? 201 : 200;
  }

  static void documents(HttpExchange call) throws IOException {
    String path = call.getRequestURI().getPath(), method = call.getRequestMethod();
    String sent = new String(call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    String[] parts = path.split("/");
    if (parts.length < 4) {
      StringBuilder list = new StringBuilder("<documents>\n");
      STORE.forEach((number, one) -> list.append("  <ref number=\"" + number + "\" revision=\"" + one.revision + "\"/>\n"));
      send(call, 200, list + "</documents>\n");
      return;
    }
    String number = parts[3];
    Document one = STORE.get(number);
    if (parts.length > 4 && one != null) {
      boolean out = parts[4].equals("checkout");
      if (out && one.lock != null) {
        refuse(call, 423, "V-2001", "document is checked out by another user");
        return;
      }
      one.lock = out ? "urn:vault:lock:" + UUID.randomUUID() : null;
      send(call, out ? 201 : 204, out ? "<lock token=\"" + one.lock + "\"/>\n" : "");
      return;
    }
    if (method.equals("GET") || method.equals("HEAD")) {
      if (one == null) {
        refuse(call, 404, "V-1004", "no such document");
        return;
      }
      mark(call, number, one);
      String none = call.getRequestHeaders().getFirst("If-None-Match");
      send(call, none != null && none.contains(tag(number, one)) ? 304 : 200, xml(number, one));
      return;
    }
    int status = change(call, number, sent);
    if (status == 200 || status == 201) {
      if (!setting("TARRY").isEmpty() && !tarried) {
        tarried = true;
        try {
          Thread.sleep(Long.parseLong(setting("TARRY")));
        } catch (InterruptedException ended) {
          Thread.currentThread().interrupt();
        }
      }
      mark(call, number, STORE.get(number));
      send(call, status, xml(number, STORE.get(number)));
    }
  }

  public static void main(String[] arguments) throws IOException {
    for (String line : setting("SEED").split("\n")) {
      String[] cells = line.split("\\|");
      Document one = new Document();
      one.title = cells[1];
      one.material = cells[2];
      STORE.put(cells[0], one);
    }
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 32);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.createContext("/-/up", call -> send(call, 200, "<up/>\n"));
    server.createContext("/vault/documents", IdaVault::documents);
    server.start();
  }
}
