// Sends what it is told on standard input and answers on standard output, with java.net.http.HttpClient.
// A line is: method, path, body in base64 (or -), then name and value of each field, tab between them.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;

public class Send {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] part = line.split("\t", -1);
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(arguments[0] + part[1]))
                .timeout(Duration.ofSeconds(8))
                .method(part[0], part[2].equals("-") ? BodyPublishers.noBody()
                    : BodyPublishers.ofByteArray(Base64.getDecoder().decode(part[2])));
            for (int at = 3; at + 1 < part.length; at += 2) request.header(part[at], part[at + 1]);
            StringBuilder answer = new StringBuilder();
            try {
                HttpResponse<byte[]> got = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
                answer.append(got.statusCode()).append('\t').append(Base64.getEncoder().encodeToString(got.body()));
                got.headers().map().forEach((name, values) ->
                    answer.append('\t').append(name).append('\t').append(String.join(", ", values)));
            } catch (java.io.IOException lost) {
                answer.append("0\t");
            }
            System.out.println(answer);
        }
    }
}
