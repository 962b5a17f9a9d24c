// Recipes of a bakery on com.sun.net.httpserver: plain text with dates and tags as validators.
// Run with a port. SEED: recipes as "name=text" separated by lines of three dashes. RULE: how If-Unmodified-Since is
// judged: second, exact (with milliseconds), strict (what cannot be read is 412). FLAGS (comma-separated): identity
// (tags from the object's identity, a new object for each request), first (only the first tag of a list is
// compared), star (the asterisk is compared as text), late (refused after storing), datesonly, demand, get412
// (a read whose If-None-Match matches is 412), echo (an error repeats the tag that was sent). SKEW: seconds this
// node's clock is off. PAUSE: milliseconds a write takes before it is judged.
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
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.zip.CRC32;

public class OstBakery {
    record Recipe(String text, String author, long millis, int edition) {}

    static final class Version {
        final String text;
        Version(String text) { this.text = text; }
        String tag() { return "\"" + Integer.toHexString(hashCode()) + "\""; }
    }

    static final Map<String, Recipe> BOOK = new ConcurrentHashMap<>();
    static final List<String> FLAGS = Arrays.asList(System.getenv().getOrDefault("FLAGS", "").split(","));
    static final String RULE = System.getenv().getOrDefault("RULE", "second");
    static final long SKEW = Long.parseLong(System.getenv().getOrDefault("SKEW", "0")) * 1000;
    static final long PAUSE = Long.parseLong(System.getenv().getOrDefault("PAUSE", "0"));
    static final DateTimeFormatter HTTP =
        DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH).withZone(ZoneOffset.UTC);

    static long now() { return System.currentTimeMillis() + SKEW; }

    static String date(long millis) { return HTTP.format(Instant.ofEpochMilli(millis)); }

    static String tag(Recipe recipe) {
        if (FLAGS.contains("identity")) return new Version(recipe.text).tag();
        CRC32 sum = new CRC32();
        sum.update((recipe.edition + recipe.text).getBytes(StandardCharsets.UTF_8));
        return String.format("\"ed%d:%08x\"", recipe.edition, sum.getValue());
    }

    static void answer(HttpExchange exchange, int status, String text, Recipe recipe) throws IOException {
        var head = exchange.getResponseHeaders();
        if (recipe != null) {
            head.set("Last-Modified", date(recipe.millis));
            if (!FLAGS.contains("datesonly")) head.set("ETag", tag(recipe));
            head.set("X-Author", recipe.author);
        }
        head.set("Server", "bakehouse/0.9");
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        if (body.length > 0) head.set("Content-Type", "text/plain; charset=utf-8");
        boolean bare = status == 304 || status == 204 || exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, bare || body.length == 0 ? -1 : body.length);
        if (!bare && body.length > 0) exchange.getResponseBody().write(body);
        exchange.close();
    }

    static boolean tagHolds(String wanted, Recipe recipe) {
        if (wanted.equals("*")) return !FLAGS.contains("star");
        String[] parts = wanted.split("\\s*,\\s*");
        if (FLAGS.contains("first")) return parts[0].equals(tag(recipe));
        return Arrays.asList(parts).contains(tag(recipe));
    }

    static boolean dateHolds(String wanted, Recipe recipe) {
        try {
            long sent = ZonedDateTime.parse(wanted, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant().toEpochMilli();
            return RULE.equals("exact") ? recipe.millis <= sent : recipe.millis / 1000 * 1000 <= sent;
        } catch (DateTimeParseException unreadable) {
            return !RULE.equals("strict");
        }
    }

    static String refusal(HttpExchange exchange, Recipe recipe) {
        var head = exchange.getRequestHeaders();
        String match = head.getFirst("If-Match");
        String since = head.getFirst("If-Unmodified-Since");
        if ("*".equals(head.getFirst("If-None-Match")) && recipe != null) return "recipe exists";
        if (match != null && recipe == null) return "no such recipe";
        if (match != null) {
            if (tagHolds(match, recipe)) return null;
            String said = FLAGS.contains("echo") ? match : tag(recipe);
            return "If-Match does not hold; edition " + recipe.edition + " by " + recipe.author + " has " + said;
        }
        if (since != null && recipe != null && !dateHolds(since, recipe)) {
            return "If-Unmodified-Since does not hold; stored " + Instant.ofEpochMilli(recipe.millis);
        }
        return null;
    }

    static synchronized void write(HttpExchange exchange, String name, String text) throws IOException {
        Recipe old = BOOK.get(name);
        var head = exchange.getRequestHeaders();
        boolean bare = head.getFirst("If-Match") == null && head.getFirst("If-Unmodified-Since") == null;
        if (old != null && bare && FLAGS.contains("demand")) {
            answer(exchange, 428, "428 send If-Match or If-Unmodified-Since\n", null);
            return;
        }
        String refused = refusal(exchange, old);
        if (refused != null && !FLAGS.contains("late")) {
            answer(exchange, 412, "412 " + refused + "\n", null);
            return;
        }
        if (exchange.getRequestMethod().equals("DELETE")) {
            if (old == null) { answer(exchange, 404, "404 no such recipe\n", null); return; }
            BOOK.remove(name);
            answer(exchange, 204, "", null);
            return;
        }
        String author = head.getFirst("X-Baker") == null ? "-" : head.getFirst("X-Baker");
        Recipe made = new Recipe(text, author, now(), old == null ? 1 : old.edition + 1);
        BOOK.put(name, made);
        String after = FLAGS.contains("late") ? refusal(exchange, made) : null;
        if (after != null) { answer(exchange, 412, "412 " + after + "\n", null); return; }
        answer(exchange, old == null ? 201 : 200, "stored edition " + made.edition + "\n", made);
    }

    static void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        String text = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        if (path.equals("/-/up")) { answer(exchange, 200, "up\n", null); return; }
        if (path.equals("/recipes")) { answer(exchange, 200, String.join("\n", BOOK.keySet()) + "\n", null); return; }
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (!method.equals("GET") && !method.equals("HEAD")) {
            try { Thread.sleep(PAUSE); } catch (InterruptedException stopped) { return; }
            write(exchange, name, text);
            return;
        }
        Recipe recipe = BOOK.get(name);
        if (recipe == null) { answer(exchange, 404, "404 no such recipe\n", null); return; }
        var head = exchange.getRequestHeaders();
        if (!FLAGS.contains("datesonly") && tag(recipe).equals(head.getFirst("If-None-Match"))) {
            if (FLAGS.contains("get412")) answer(exchange, 412, "412 If-None-Match matches\n", recipe);
            else answer(exchange, 304, "", recipe);
            return;
        }
        if (head.getFirst("If-None-Match") == null && date(recipe.millis).equals(head.getFirst("If-Modified-Since"))) {
            answer(exchange, 304, "", recipe);
            return;
        }
        answer(exchange, 200, recipe.text, recipe);
    }

    public static void main(String[] arguments) throws IOException {
        for (String one : System.getenv().getOrDefault("SEED", "").split("\n---\n")) {
            int at = one.indexOf('=');
            if (at > 0) BOOK.put(one.substring(0, at), new Recipe(one.substring(at + 1), "archive", now() - 3600_000 - 377, 8));
        }
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.createContext("/", OstBakery::handle);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
    }
}
