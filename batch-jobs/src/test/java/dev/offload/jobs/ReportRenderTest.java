package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.jobs.report.ReportPage;
import dev.offload.jobs.report.SampleReports;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Looks at reports in a browser: what is where on the screen, and which colours are to be seen.
 * Skipped where there is none, except where {@code .ci/run} says that there must be.
 */
class ReportRenderTest {
  private static final Path EXAMPLES = Path.of("../examples");

  /** The colours of report.css on a light background. */
  private static final Map<String, Integer> LANES =
      Map.of(
          "gpu", 0x2b74d6,
          "h2d", 0xdd6b20,
          "d2h", 0xb83d79,
          "disk", 0x0d8f80,
          "cpu", 0x71901c);

  @TempDir private Path folder;
  private Screen screen;

  @BeforeEach
  void findBrowser() {
    screen = Screen.find(folder);
  }

  @Test
  void shouldShowAJobOnEveryScreen() throws Exception {
    Path page = job();
    for (int width : new int[] {Screen.WIDE, Screen.PHONE}) {
      JsonNode seen = screen.measure(page, width);
      Screen.assertFits(seen, width);
      assertEquals(
          List.of(
              "Tokens per second over",
              "Sequences in flight over time",
              "Lane … over time",
              "Lane … over time",
              "Lane … over time",
              "Lane … over time",
              "Lane … over time",
              "What the lanes disk, h2d, gpu, d2h, cpu did",
              "Prompt length of 8",
              "Output length of 8"),
          labels(seen));
      for (JsonNode chart : seen.get("charts")) {
        Screen.assertVisible(chart);
      }
      Screen.assertBetween(4, 10, seen.get("tiles").size());
      assertTrue(
          seen.get("tiles").get(1).get("text").asText().startsWith("Rows answered82 refused"));
    }
    assertLanes(
        screen.measure(page, Screen.WIDE),
        screen.picture(page, Screen.WIDE),
        List.of("disk", "h2d", "gpu", "d2h", "cpu"));
  }

  /** Labels, settings and reasons that would be markup if they could. */
  @Test
  void shouldShowHostileTextsAsTextsOnEveryScreen() throws Exception {
    String hostile =
        "\"><script>document.body.innerHTML=''</script><img src=http://x.example/>"
            + "y".repeat(70);
    Path page = folder.resolve("hostile.html");
    Files.writeString(page, ReportPage.html(SampleReports.labeled(hostile)));
    for (int width : new int[] {Screen.WIDE, Screen.PHONE}) {
      JsonNode seen = screen.measure(page, width);
      Screen.assertFits(seen, width);
      // Texts scroll inside the table; nothing else does.
      for (String element : new String[] {"img", "a", "link", "iframe", "object"}) {
        assertTrue(!seen.get("elements").toString().contains('"' + element + '"'), element);
      }
      seen.get("charts").forEach(Screen::assertVisible);
    }
  }

  /** Of a pass of 3.6 ms, copying back takes the last 10 ns. */
  @Test
  void shouldShowTasksThatAreNarrowerThanAPixel() throws Exception {
    Path page = folder.resolve("narrow.html");
    Files.writeString(page, ReportPage.html(SampleReports.labeled("x")));
    JsonNode seen = screen.measure(page, Screen.WIDE);
    BufferedImage picture = screen.picture(page, Screen.WIDE);
    assertLanes(seen, picture, List.of("disk", "h2d", "gpu", "d2h"));
    assertColours(seen, picture);
  }

  @Test
  void shouldBeDarkWhereThatIsPreferred() throws Exception {
    Path page = folder.resolve("sample.html");
    Files.writeString(page, ReportPage.html(SampleReports.labeled("x")));
    assertEquals(
        "rgb(245, 246, 248)", screen.measure(page, Screen.WIDE).get("background").asText());
    Path dark = folder.resolve("dark.html");
    Files.writeString(
        dark, Files.readString(page).replace("(prefers-color-scheme: dark)", "(min-width: 0)"));
    JsonNode seen = screen.measure(dark, Screen.WIDE);
    assertEquals("rgb(16, 19, 24)", seen.get("background").asText());
    BufferedImage picture = screen.picture(dark, Screen.WIDE);
    assertTrue(count(picture, 0x5b9cf2, seen) > 500, "pixels of the dark lane gpu");
    assertEquals(0, count(picture, LANES.get("gpu"), seen), "pixels of the light lane gpu");
  }

  /**
   * Rows of the examples, and bad ones, with so little memory that every lane has something to do.
   */
  private Path job() throws IOException {
    List<String> rows =
        new ArrayList<>(Files.readAllLines(EXAMPLES.resolve("prompts.jsonl")).subList(0, 8));
    rows.replaceAll(row -> row.replaceFirst("\"max_tokens\": \\d+", "\"max_tokens\": 8"));
    rows.add("{broken");
    rows.add("{\"id\":\"<img src=http://x.example/>\",\"prompt\":\"\"}");
    Path input = Files.write(folder.resolve("in.jsonl"), rows);
    Path page = folder.resolve("report.html");
    StringWriter err = new StringWriter();
    int code =
        Main.run(
            new PrintWriter(new StringWriter()),
            new PrintWriter(err, true),
            "generate",
            "--model=" + EXAMPLES.resolve("models/tiny-moe"),
            "--input=" + input,
            "--output=" + folder.resolve("out.jsonl"),
            "--device-memory=4500KiB",
            "--host-memory=6MiB",
            "--kv-tokens=64",
            "--report=" + page,
            "--report=" + folder.resolve("report.json"));
    assertEquals(ExitCode.ROWS_FAILED, code, err.toString());
    JsonNode json = new ObjectMapper().readTree(folder.resolve("report.json").toFile());
    assertEquals(8, json.at("/rows/answered").asInt());
    assertEquals(64, json.at("/work/generated_tokens").asInt());
    return page;
  }

  /** Of a report whose figures are known: how much of a job is to be seen depends on its pace. */
  private static void assertColours(JsonNode seen, BufferedImage picture) {
    assertTrue(count(picture, LANES.get("gpu"), seen) > 2000, "pixels of the device");
    assertTrue(count(picture, 0x5145b8, seen) > 500, "pixels of decoding");
    assertTrue(count(picture, 0xe2ae2e, seen) > 500, "pixels of prefill");
    assertTrue(count(picture, 0xc8392f, seen) > 500, "pixels of refused rows");
  }

  /** Lanes of a pass have something of their own colour to be seen, and nothing of the others'. */
  private static void assertLanes(JsonNode seen, BufferedImage picture, List<String> order) {
    JsonNode passes = null;
    for (JsonNode chart : seen.get("charts")) {
      if (chart.get("label").asText().startsWith("What the lanes")) {
        passes = chart.get("box");
      }
    }
    double height = passes.get("height").asDouble() / order.size();
    for (int i = 0; i < order.size(); i++) {
      int top = (int) (passes.get("y").asDouble() + i * height);
      // A pixel more on both sides, where lines in the middle of tasks at the ends may stick out.
      BufferedImage lane =
          picture.getSubimage(
              passes.get("x").asInt() - 1,
              top + 1,
              passes.get("width").asInt() + 3,
              (int) height - 2);
      String name = order.get(i);
      assertNotEquals(0, shades(lane, LANES.get(name)), "pixels of " + name + " in its lane");
      for (String other : order) {
        assertTrue(
            other.equals(name) || exactly(lane, LANES.get(other)) == 0, other + " in " + name);
      }
    }
  }

  /** Pixels of a colour, or of it over white as narrow and every second tasks have it. */
  private static int shades(BufferedImage part, int colour) {
    int pixels = 0;
    for (int y = 0; y < part.getHeight(); y++) {
      for (int x = 0; x < part.getWidth(); x++) {
        int rgb = part.getRGB(x, y) & 0xffffff;
        pixels += isShade(rgb, colour) ? 1 : 0;
      }
    }
    return pixels;
  }

  private static boolean isShade(int rgb, int colour) {
    double red = opacity(rgb >> 16 & 255, colour >> 16 & 255);
    double green = opacity(rgb >> 8 & 255, colour >> 8 & 255);
    double blue = opacity(rgb & 255, colour & 255);
    return red > 0.1 && Math.abs(red - green) < 0.06 && Math.abs(red - blue) < 0.06;
  }

  private static double opacity(int seen, int full) {
    return (255.0 - seen) / (255 - full);
  }

  private static int exactly(BufferedImage part, int colour) {
    int pixels = 0;
    for (int y = 0; y < part.getHeight(); y++) {
      for (int x = 0; x < part.getWidth(); x++) {
        pixels += (part.getRGB(x, y) & 0xffffff) == colour ? 1 : 0;
      }
    }
    return pixels;
  }

  private static int count(BufferedImage picture, int colour, JsonNode seen) {
    int height = Math.min(picture.getHeight(), seen.get("height").asInt());
    return exactly(picture.getSubimage(0, 0, picture.getWidth(), height), colour);
  }

  private static List<String> labels(JsonNode seen) {
    List<String> labels = new ArrayList<>();
    TreeSet<String> lanes = new TreeSet<>();
    for (JsonNode chart : seen.get("charts")) {
      String label = chart.get("label").asText();
      if (label.startsWith("Lane ")) {
        lanes.add(label.substring(5, label.indexOf(" over")));
        label = "Lane … over time";
      }
      labels.add(
          label
              .replaceFirst("(over|time|did|of 8)(: | during | [0-9]).*", "$1")
              .replaceFirst(":.*", ""));
    }
    assertEquals(new TreeSet<>(LANES.keySet()), lanes);
    return labels;
  }
}
