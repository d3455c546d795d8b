package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.generation.TokenIds;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A measurement reads from disk what the budgets leave there, and leaves nothing behind. */
class BenchTest {
  private static final Path MODEL = Path.of("../examples/models/tiny-moe");

  @TempDir private Path temporary;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void shouldReadFromDiskWhatTheBudgetsLeaveThere() throws IOException {
    assertEquals(
        ExitCode.OK,
        bench(temporary, "--device-memory=8MiB", "--host-memory=4MiB", "--warm-up=1"),
        err.toString());
    JsonNode report = new JsonMapper().readTree(out.toString());
    assertTrue(report.get("disk_bytes").asLong() > 1 << 20, out.toString());
    double wall = report.get("disk_bytes_per_s").asDouble();
    double busy = report.get("disk_busy_bytes_per_s").asDouble();
    assertTrue(wall > 0 && busy >= wall, out.toString());
    assertTrue(report.get("disk_ceiling_bytes_per_s").asDouble() > 0, out.toString());
    assertTrue(report.get("lanes").get("disk").asDouble() > 0, out.toString());
    assertTrue(
        report.get("streamed_bytes").asLong() >= report.get("disk_bytes").asLong(), out.toString());
    assertTrue(report.get("copy_ceiling_bytes_per_s").asDouble() > 0, out.toString());
    assertTrue(report.get("streamed_busy_bytes_per_s").asDouble() > 0, out.toString());
    assertTrue(
        report.get("streaming_bound_tokens_per_s").asDouble()
            <= report.get("bound_tokens_per_s").asDouble(),
        out.toString());
    try (Stream<Path> left = Files.list(temporary)) {
      assertFalse(left.findAny().isPresent(), "files left in --temp");
    }
  }

  /** Weights that stay mapped need files to stay in. */
  @Test
  void shouldTakeWeightsFromFilesThatAreMapped() throws IOException {
    assertEquals(
        ExitCode.OK,
        bench(
            temporary,
            "--map-weights",
            "--dtype=float32",
            "--device-memory=8MiB",
            "--host-memory=64MiB",
            "--warm-up=0"),
        err.toString());
    JsonNode report = new JsonMapper().readTree(out.toString());
    assertEquals(0, report.get("disk_bytes").asLong(), out.toString());
    assertTrue(report.get("load_seconds").asDouble() > 0, out.toString());
    assertFalse(report.has("disk_ceiling_bytes_per_s"), out.toString());
    try (Stream<Path> left = Files.list(temporary)) {
      assertFalse(left.findAny().isPresent(), "files left in --temp");
    }
  }

  @Test
  void shouldRefuseAFolderForFilesThatIsNone() {
    Path missing = temporary.resolve("missing");
    assertEquals(ExitCode.REFUSED, bench(missing));
    assertTrue(err.toString().contains("--temp " + missing + " is no folder"), err.toString());
  }

  @Test
  void shouldEndRequestsAtLengthsOfTheirOwn() throws IOException {
    int code =
        Main.run(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            "bench",
            "--json",
            "--model=" + MODEL,
            "--dtype=float32",
            "--requests=20",
            "--prompt-tokens=8",
            "--generated-tokens=5",
            "--max-tokens=100",
            "--reserve-all",
            "--warm-up=0");
    assertEquals(ExitCode.OK, code, err.toString());
    JsonNode report = new JsonMapper().readTree(out.toString());
    BenchRequests requests = new BenchRequests(new BenchLoad(8, 0, 5, 100, 20), 100);
    int generated = 0;
    for (int i = 0; i < 20; i++) {
      generated += requests.next().orElseThrow().sampling().minTokens() + 1;
    }
    assertTrue(generated > 60 && generated < 140, generated + " tokens, about 100 are right");
    double tokens =
        report.get("total_tokens_per_s").asDouble() * report.get("wall_seconds").asDouble();
    assertEquals(20 * 8 + generated, tokens, 0.01);
    assertTrue(report.get("passes").asInt() <= 10, report.toString());
  }

  @Test
  void shouldBeginAsFarAlikeAsAskedFor() {
    BenchRequests requests = new BenchRequests(new BenchLoad(60, 50, 2, 2, 3), 1000);
    TokenIds first = requests.next().orElseThrow().prompt();
    TokenIds second = requests.next().orElseThrow().prompt();
    assertEquals(60, first.size());
    assertEquals(first.first(50), second.first(50));
    assertNotEquals(first, second);
  }

  @Test
  void shouldShareUnlessToldNotTo() throws RefusedException {
    MachineOptions usual = CommandLine.populateCommand(new MachineOptions());
    assertEquals(PrefixSharing.USUAL, usual.toEngine(0).prefixSharing());
    MachineOptions alone = CommandLine.populateCommand(new MachineOptions(), "--no-prefix-sharing");
    assertEquals(PrefixSharing.OFF, alone.toEngine(0).prefixSharing());
  }

  private int bench(Path temp, String... options) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "bench",
                "--json",
                "--model=" + MODEL,
                "--temp=" + temp,
                "--requests=2",
                "--prompt-tokens=3",
                "--generated-tokens=4"));
    command.addAll(List.of(options));
    return Main.run(
        new PrintWriter(out, true), new PrintWriter(err, true), command.toArray(String[]::new));
  }
}
