// An event store on jdk.httpserver: streams of JSON events, appended at an expected position; and claims on jobs.
// Run with a port. SEED: lines "stream|json|json...". HABITS: text (positions compared as text), soft (refusals are 200).
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Executors;

public class QinLedger {
    static final Map<String, List<String>> STREAMS = new TreeMap<>();
    static final String HABITS = System.getenv().getOrDefault("HABITS", "");

    static void send(HttpExchange one, int status, String body, long position) throws IOException {
        byte[] content = body.getBytes(StandardCharsets.UTF_8);
        one.getResponseHeaders().set("Content-Type", status < 400 ? "application/vnd.ledger+json" : "application/problem+json");
        one.getResponseHeaders().set("X-Correlation-Id", UUID.randomUUID().toString());
        if (position > -2) one.getResponseHeaders().set("Stream-Position", Long.toString(position));
        one.sendResponseHeaders(status, content.length == 0 ? -1 : content.length);
        one.getResponseBody().write(content);
        one.close();
    }

    static void read(HttpExchange one, String name) throws IOException {
        List<String> events = STREAMS.get(name);
        if (events == null) {
            send(one, 404, "{\"title\":\"StreamNotFound\",\"stream\":\"" + name + "\"}", -1);
            return;
        }
        StringBuilder shown = new StringBuilder("{\"stream\":\"" + name + "\",\"events\":[");
        int first = Math.max(0, events.size() - 6);
        for (int at = first; at < events.size(); at++) {
            shown.append(at > first ? "," : "").append("{\"position\":").append(at).append(",\"event\":").append(events.get(at)).append("}");
        }
        send(one, 200, shown + "]}", events.size() - 1);
    }

    static boolean fits(String sent, long actual) {
        if (sent == null || sent.equals("any")) return true;
        if (HABITS.contains("text")) return sent.compareTo(Long.toString(actual)) >= 0;
        return sent.equals(Long.toString(actual)) || sent.equals("noStream") && actual == -1;
    }

    static void append(HttpExchange one, String name, String body) throws IOException {
        synchronized (STREAMS) {
            List<String> events = STREAMS.getOrDefault(name, new ArrayList<>());
            String sent = one.getRequestHeaders().getFirst("Expected-Position");
            long actual = events.size() - 1;
            if (sent != null && !sent.matches("-?\\d+|any|noStream")) {
                send(one, 400, "{\"title\":\"InvalidExpectedPosition\",\"detail\":\"not a position: '" + sent + "'\"}", -2);
                return;
            }
            if (sent == null && HABITS.contains("demand")) {
                send(one, 400, "{\"title\":\"ExpectedPositionRequired\",\"detail\":\"Expected-Position must be given\"}", -2);
                return;
            }
            if (!fits(sent, actual)) {
                String told = "{\"title\":\"WrongExpectedPosition\",\"stream\":\"" + name + "\",\"expected\":\"" + sent + "\",\"actual\":" + actual + "}";
                send(one, 409, told, -2);
                return;
            }
            events.add(body.strip());
            STREAMS.put(name, events);
            send(one, 201, "{\"stream\":\"" + name + "\",\"nextExpectedPosition\":" + (events.size() - 1) + "}", events.size() - 1);
        }
    }

    static void handle(HttpExchange one) throws IOException {
        String body = new String(one.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String path = one.getRequestURI().getPath();
        if (path.equals("/-/up")) send(one, 200, "{\"up\":true}", -2);
        else if (path.equals("/streams")) send(one, 200, "[\"" + String.join("\",\"", STREAMS.keySet()) + "\"]", -2);
        else if (one.getRequestMethod().equals("POST")) append(one, path.substring("/streams/".length()), body);
        else read(one, path.substring("/streams/".length()));
    }

    public static void main(String[] arguments) throws IOException {
        for (String line : System.getenv().getOrDefault("SEED", "").split("\n")) {
            String[] parts = line.split("\\|");
            STREAMS.put(parts[0], new ArrayList<>(Arrays.asList(parts).subList(1, parts.length)));
        }
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.createContext("/", QinLedger::handle);
        server.start();
    }
}
