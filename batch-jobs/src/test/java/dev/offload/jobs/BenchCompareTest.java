package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.offload.planner.Lane;
import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run is laid beside its forecast, alone and by lines of a file. */
class BenchCompareTest {
  private static final String MODEL = "--model=../examples/models/tiny-moe";

  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path profile;

  @BeforeEach
  void writeProfile() throws IOException {
    Processor cores = new Processor(2e10, 1e-5, Map.of(DType.F32, 1e11), List.of(), 1e10, 1e10);
    CopyRate copies = new CopyRate(8e9, 5e-6);
    HardwareProfile machine =
        new HardwareProfile(
            "test",
            "a machine with round figures",
            cores,
            1L << 30,
            new Link(copies, copies, 1e10),
            cores,
            1L << 30,
            new Sharing(2e10, 2, true),
            new Disk(1L << 40, 1e9, 1e9),
            List.of());
    profile = folder.resolve("profile.json");
    HardwareJson.write(machine, profile);
  }

  @Test
  void shouldSayHowFarTheForecastWasOff() throws IOException {
    Path page = folder.resolve("page.html");
    int code =
        bench(
            "--compare",
            "--json",
            "--rounds=2",
            "--html=" + page,
            "--profile=" + profile,
            MODEL,
            "--dtype=float32");
    assertEquals(ExitCode.OK, code, err.toString());
    JsonNode predicted = new JsonMapper().readTree(out.toString()).get("predicted");
    assertEquals(2, predicted.get("rounds").asInt());
    assertEquals(predicted.get("passes").get("measured"), predicted.get("passes").get("predicted"));
    JsonNode tokens = predicted.get("tokens_per_s");
    assertEquals(
        tokens.get("predicted").asDouble() / tokens.get("measured").asDouble() - 1,
        tokens.get("error").asDouble(),
        1e-9);
    JsonNode gpu = predicted.get("lanes").get("gpu");
    double most = Math.max(gpu.get("measured").asDouble(), gpu.get("predicted").asDouble());
    double wall = predicted.get("wall_seconds").get("measured").asDouble();
    assertTrue(gpu.get("measured").asDouble() > 0, "" + gpu);
    assertEquals(most >= Comparison.COUNTED_SHARE * wall, gpu.get("counts").asBoolean(), "" + gpu);
    assertFalse(predicted.get("lanes").get("disk").get("counts").asBoolean(), "" + predicted);
    JsonNode experts = predicted.get("tasks_of_a_pass").get("gpu · experts");
    assertTrue(experts.get("predicted").asDouble() > 0, "" + predicted);
    String html = Files.readString(page);
    assertTrue(html.contains(">forecast</span>") && html.contains("class=\"gpu"), html);
    assertFalse(html.contains("<script"), html);
  }

  @Test
  void shouldCompareOncePerLineOfAFile() throws IOException {
    Path grid = folder.resolve("grid.txt");
    Files.writeString(
        grid,
        """
        # two loads
        %s --requests 2 --kv host_attended
        %s --requests 3 --generated-tokens 2
        """
            .formatted(MODEL, MODEL));
    int code = bench("--grid=" + grid, "--profile=" + profile, "--dtype=float32");
    assertEquals(ExitCode.OK, code, err.toString());
    List<String> lines = out.toString().lines().toList();
    assertTrue(lines.get(1).endsWith("--requests 2 --kv host_attended"), out.toString());
    assertTrue(lines.get(2).endsWith("--requests 3 --generated-tokens 2"), out.toString());
    assertTrue(lines.contains("2 combinations"), out.toString());
    assertTrue(out.toString().contains("tokens/s   median error"), out.toString());
    int idle = out.toString().split(" idle ", -1).length - 1;
    assertEquals(
        idle < 2 * Lane.values().length,
        out.toString().contains("all lanes  median error"),
        out.toString());
  }

  @Test
  void shouldSumUpLinesForScripts() throws IOException {
    Path grid = folder.resolve("grid.txt");
    Files.writeString(grid, "%s --requests 2%n%s --requests 3%n".formatted(MODEL, MODEL));
    int code =
        bench("--grid=" + grid, "--profile=" + profile, "--dtype=float32", "--rounds=2", "--json");
    assertEquals(ExitCode.OK, code, err.toString());
    List<String> lines = out.toString().lines().toList();
    double first = Math.abs(error(lines.get(0)));
    double second = Math.abs(error(lines.get(1)));
    JsonNode all = new JsonMapper().readTree(lines.get(2)).get("all");
    assertEquals(2, all.get("combinations").asInt());
    assertEquals((first + second) / 2, all.get("median_error").asDouble(), 1e-9);
    assertEquals(Math.max(first, second), all.get("largest_error").asDouble(), 1e-9);
    assertEquals(
        Math.max(spread(lines.get(0)), spread(lines.get(1))),
        all.get("largest_spread").asDouble(),
        1e-9);
    assertEquals(lanes(lines.get(0)) + lanes(lines.get(1)), all.get("lanes").asInt());
    assertTrue(
        all.get("lanes_off_by_more_than_15_percent").asInt() <= all.get("lanes").asInt(),
        all.toString());
    int ofLanes = 0;
    for (JsonNode lane : all.get("by_lane")) {
      ofLanes += lane.get("combinations").asInt();
      assertTrue(lane.get("median_error").asDouble() <= lane.get("largest_error").asDouble());
    }
    assertEquals(all.get("lanes").asInt(), ofLanes);
  }

  /** Of two rounds. */
  private static double spread(String line) throws IOException {
    JsonNode rounds = new JsonMapper().readTree(line).at("/predicted/each_round");
    double first = rounds.get(0).get("measured_tokens_per_s").asDouble();
    double second = rounds.get(1).get("measured_tokens_per_s").asDouble();
    return Math.abs(first - second) / ((first + second) / 2);
  }

  /** How many lanes were busy enough to count. */
  private static int lanes(String line) throws IOException {
    int lanes = 0;
    for (JsonNode lane : new JsonMapper().readTree(line).at("/predicted/lanes")) {
      lanes += lane.get("counts").asBoolean() ? 1 : 0;
    }
    return lanes;
  }

  private static double error(String line) throws IOException {
    return new JsonMapper().readTree(line).at("/predicted/tokens_per_s/error").asDouble();
  }

  @Test
  void shouldNameTheLineThatIsWrong() throws IOException {
    Path grid = folder.resolve("grid.txt");
    Files.writeString(grid, "\n" + MODEL + " --kv nowhere\n");
    assertEquals(ExitCode.REFUSED, bench("--grid=" + grid, "--profile=" + profile));
    assertTrue(err.toString().contains(grid + ", line 2: "), err.toString());
    assertTrue(err.toString().contains("nowhere"), err.toString());
  }

  @Test
  void shouldRefuseOptionsOfComparisonsAlone() {
    assertEquals(ExitCode.REFUSED, bench(MODEL, "--rounds=2"));
    assertTrue(err.toString().contains("--compare"), err.toString());
    assertEquals(ExitCode.REFUSED, bench("--compare"));
    assertTrue(err.toString().contains("--model is missing"), err.toString());
  }

  @Test
  void shouldTakeTheMiddle() {
    assertEquals(2, Comparison.median(new double[] {5, 1, 2}));
    assertEquals(3, Comparison.median(new double[] {5, 1, 2, 4}));
  }

  private int bench(String... options) {
    String[] usual = {
      "bench", "--requests=6", "--prompt-tokens=8", "--generated-tokens=6", "--warm-up=0"
    };
    String[] all = new String[usual.length + options.length];
    System.arraycopy(usual, 0, all, 0, usual.length);
    System.arraycopy(options, 0, all, usual.length, options.length);
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), all);
  }
}
