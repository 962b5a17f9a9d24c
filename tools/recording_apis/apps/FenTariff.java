import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;

/** Customs headings in editions; a change names the edition that it rests on in its path. */
public final class FenTariff {
  record Heading(String text, String duty, int edition, String by) {}

  private static final Map<String, Heading> HEADINGS = new TreeMap<>();

  public static void main(String[] arguments) throws IOException {
    HEADINGS.put("0406", new Heading("Juusto ja juustoaine", "7.7 %", 12, "siirto"));
    HEADINGS.put("0407", new Heading("Kuorelliset linnunmunat", "30.4 EUR/100 kg", 3, "siirto"));
    HEADINGS.put("2201", new Heading("Vesi", "0 %", 5, "siirto"));
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", FenTariff::answer);
    server.start();
  }

  private static synchronized void answer(HttpExchange exchange) throws IOException {
    String[] parts = exchange.getRequestURI().getPath().split("/");
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    if (parts.length == 2 && parts[1].equals("tila")) {
      send(exchange, 200, "{\"tila\":\"auki\"}");
    } else if (parts.length == 2 && parts[1].equals("nimikkeet")) {
      send(exchange, 200, "[\"" + String.join("\",\"", HEADINGS.keySet()) + "\"]");
    } else if (parts.length < 3 || !HEADINGS.containsKey(parts[2])) {
      send(exchange, parts.length < 3 ? 200 : 404, "{}");
    } else if (exchange.getRequestMethod().equals("GET")) {
      send(exchange, 200, shown(parts[2]));
    } else {
      change(exchange, parts, body);
    }
  }

  private static void change(HttpExchange exchange, String[] parts, String body) throws IOException {
    Heading now = HEADINGS.get(parts[2]);
    int sent = Integer.parseInt(parts[4]);
    if (sent != now.edition()) {
      send(exchange, 409, "{\"virhe\":\"LAITOS_VANHENTUNUT\",\"pyydetty\":" + sent + ",\"voimassa\":" + now.edition() + "}");
      return;
    }
    String user = exchange.getRequestHeaders().getFirst("X-Virkailija");
    String duty = body.replaceAll(".*\"tulli\":\"([^\"]*)\".*", "$1");
    HEADINGS.put(parts[2], new Heading(now.text(), duty, now.edition() + 1, user));
    send(exchange, 200, shown(parts[2]));
  }

  private static String shown(String code) {
    Heading one = HEADINGS.get(code);
    return "{\"nimike\":\"" + code + "\",\"teksti\":\"" + one.text() + "\",\"tulli\":\"" + one.duty()
        + "\",\"laitos\":" + one.edition() + ",\"muuttaja\":\"" + one.by() + "\"}";
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
    exchange.sendResponseHeaders(status, content.length);
    exchange.getResponseBody().write(content);
    exchange.close();
  }
}
