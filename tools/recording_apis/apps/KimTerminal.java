// A container terminal with conventions of its own, on jdk.httpserver: the revision of a unit is named in the body
// (POST /t7/units/ID), the query (PUT /t7/units/ID?expectedRevision=N) or the path (PUT /t7/units/ID/revisions/N).
// Run with a port. SEED: JSON object of flat units by id; HOLD: seconds a write takes; TEXT=1: compares revisions as
// text; SOFT=1: tells refusals with 200; NEED=1: insists on a revision.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class KimTerminal {
    static final Map<String, Map<String, String>> UNITS = new TreeMap<>();
    static final Pattern UNIT = Pattern.compile("\"([^\"]+)\":\\s*\\{([^}]*)\\}");
    static final Pattern MEMBER = Pattern.compile("\"(\\w+)\":\\s*(\"[^\"]*\"|[-\\w.]+)");

    static String set(String name) {
        return System.getenv().getOrDefault(name, "");
    }

    static Map<String, String> members(String text) {
        Map<String, String> found = new LinkedHashMap<>();
        for (Matcher at = MEMBER.matcher(text); at.find(); ) found.put(at.group(1), at.group(2));
        return found;
    }

    static String shown(String id) {
        StringBuilder made = new StringBuilder("{\"unit\":\"" + id + "\"");
        UNITS.get(id).forEach((name, value) -> made.append(",\"" + name + "\":" + value));
        return made + "}";
    }

    static void send(HttpExchange one, int status, String body) throws IOException {
        byte[] content = body.getBytes(StandardCharsets.UTF_8);
        one.getResponseHeaders().set("Content-Type", "application/vnd.kaikante.v7+json");
        one.getResponseHeaders().set("Kk-Trace", UUID.randomUUID().toString().substring(0, 13));
        one.sendResponseHeaders(status, content.length == 0 ? -1 : content.length);
        one.getResponseBody().write(content);
        one.close();
    }

    static void refuse(HttpExchange one, int status, String number, String text, String have, String got) throws IOException {
        String fault = "{\"done\":false,\"fault\":{\"no\":\"" + number + "\",\"text\":\"" + text + "\"";
        if (!have.isEmpty()) fault += ",\"haveRevision\":" + have + ",\"gotRevision\":" + got;
        send(one, set("SOFT").isEmpty() ? status : 200, fault + "}}");
    }

    static boolean fits(String have, String got) {
        return set("TEXT").isEmpty() ? have.equals(got) : have.compareTo(got) == 0 && got.compareTo("5") > 0;
    }

    static void write(HttpExchange one, String id, String named, int status, String text) throws IOException, InterruptedException {
        synchronized (UNITS) {
            Map<String, String> sent = members(text);
            String own = sent.remove("revision");
            String got = named.isEmpty() ? (own == null ? "" : own) : named;
            Map<String, String> unit = UNITS.get(id);
            if (unit == null) {
                refuse(one, 404, "KT-104", "no such unit", "", "");
                return;
            }
            Thread.sleep((long) (Double.parseDouble(set("HOLD").isEmpty() ? "0" : set("HOLD")) * 1000));
            String have = unit.get("revision");
            if (got.isEmpty() && !set("NEED").isEmpty()) {
                refuse(one, 422, "KT-221", "revision is mandatory for changes", "", "");
                return;
            }
            if (!got.isEmpty() && !got.matches("\\d+")) {
                refuse(one, 400, "KT-220", "revision is not a number: " + got, "", "");
                return;
            }
            if (!got.isEmpty() && !fits(have, got)) {
                refuse(one, status, "KT-207", "unit has another revision", have, got);
                return;
            }
            if ("\"customs\"".equals(unit.get("hold")) && sent.containsKey("gate")) {
                refuse(one, 412, "KT-733", "customs hold: gate out not allowed", "", "");
                return;
            }
            unit.putAll(sent);
            unit.put("revision", String.valueOf(Long.parseLong(have) + 1));
            unit.put("changedBy", "\"" + one.getRequestHeaders().getFirst("Kk-User") + "\"");
            send(one, 200, "{\"done\":true,\"result\":" + shown(id) + "}");
        }
    }

    static void serve(HttpExchange one) throws IOException {
        String path = one.getRequestURI().getPath(), query = String.valueOf(one.getRequestURI().getRawQuery());
        String text = new String(one.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String[] part = path.split("/");
        try {
            if (path.equals("/-/up")) send(one, 200, "\"up\"");
            else if (path.equals("/t7/session")) send(one, 201, "{\"done\":true,\"result\":{\"ticket\":\"kk-0001\",\"minutes\":30}}");
            else if (path.startsWith("/t7/clock")) send(one, 200, "{\"done\":true,\"result\":{\"berths\":4,\"wind\":\"NW 5\"}}");
            else if (path.equals("/t7/units")) {
                StringBuilder all = new StringBuilder();
                synchronized (UNITS) {
                    for (String id : UNITS.keySet()) all.append(all.length() == 0 ? "" : ",").append(shown(id));
                }
                send(one, 200, "{\"done\":true,\"result\":[" + all + "]}");
            } else if (part.length < 4 || !part[2].equals("units")) refuse(one, 404, "KT-100", "unknown address", "", "");
            else if (one.getRequestMethod().equals("GET")) {
                synchronized (UNITS) {
                    if (UNITS.containsKey(part[3])) send(one, 200, "{\"done\":true,\"result\":" + shown(part[3]) + "}");
                    else refuse(one, 404, "KT-104", "no such unit", "", "");
                }
            } else if (part.length > 5) write(one, part[3], part[5], 409, text);
            else if (query.startsWith("expectedRevision=")) write(one, part[3], query.substring(17), 422, text);
            else write(one, part[3], "", 409, text);
        } catch (InterruptedException | RuntimeException broken) {
            send(one, 500, "{\"done\":false,\"fault\":{\"no\":\"KT-999\",\"text\":\"internal\"}}");
        }
    }

    public static void main(String[] arguments) throws IOException {
        for (Matcher at = UNIT.matcher(set("SEED")); at.find(); ) UNITS.put(at.group(1), members(at.group(2)));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.createContext("/", KimTerminal::serve);
        server.setExecutor(Executors.newFixedThreadPool(6));
        server.start();
    }
}
