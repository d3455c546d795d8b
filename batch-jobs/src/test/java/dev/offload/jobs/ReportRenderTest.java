package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.jobs.report.ReportPage;
import dev.offload.jobs.report.SampleReports;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Looks at reports in a browser: what is where on the screen, and which colours are to be seen.
 * Skipped where there is none, except where {@code .ci/run} says that there must be.
 */
class ReportRenderTest {
  private static final Path EXAMPLES = Path.of("../examples");
  private static final int WIDE = 1280;
  private static final int PHONE = 390;
  private static final int HEIGHT = 8000;
  private static final String POLICY_TAG = "<meta http-equiv=\"Content-Security-Policy\"[^>]*>";

  /** The colours of report.css on a light background. */
  private static final Map<String, Integer> LANES =
      Map.of(
          "gpu", 0x2b74d6,
          "h2d", 0xdd6b20,
          "d2h", 0xb83d79,
          "disk", 0x0d8f80,
          "cpu", 0x71901c);

  /** Tells where things are, of a page in a frame, to the page around it. */
  private static final String MEASURING =
      """
      <script>
      addEventListener('load', () => {
        const box = e => { const r = e.getBoundingClientRect();
          return {x: r.x, y: r.y, width: r.width, height: r.height, right: r.right, bottom: r.bottom}; };
        const name = e => e.tagName + ' ' + e.textContent.trim().slice(0, 60);
        const all = (root, what) => [...root.querySelectorAll(what)];
        const scrolls = e => e.closest('.wide') !== null;
        const texts = all(document, 'h1,h2,h3,p,span,th,td,dt,dd,b').filter(e => e.textContent.trim());
        const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.x, b.x) > 1
          && Math.min(a.bottom, b.bottom) - Math.max(a.y, b.y) > 1;
        parent.postMessage(JSON.stringify({
          innerWidth, scrollWidth: document.documentElement.scrollWidth,
          height: document.documentElement.scrollHeight,
          background: getComputedStyle(document.body).backgroundColor,
          requests: performance.getEntriesByType('resource').map(e => e.name),
          elements: [...new Set(all(document.body, '*').map(e => e.tagName.toLowerCase()))],
          charts: all(document, 'svg').map(svg => ({
            label: svg.getAttribute('aria-label'), role: svg.getAttribute('role'), box: box(svg),
            marks: all(svg, 'path:not(.grid), rect:not(.hover)').map(box)})),
          bars: all(document, '.track i, table i').map(e => box(e)),
          tiles: all(document, '.tile').map(e => ({text: e.textContent, box: box(e)})),
          outside: texts.filter(e => !scrolls(e) && (box(e).x < 0 || box(e).right > innerWidth))
            .map(name),
          clipped: texts.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0).map(name),
          invisible: texts.filter(e => box(e).width === 0 || box(e).height === 0)
            .filter(e => getComputedStyle(e).display !== 'none').map(name),
          crowded: all(document, '.x, .y').flatMap(axis => {
            const labels = all(axis, 'span');
            return labels.filter((e, i) => i > 0 && overlap(box(e), box(labels[i - 1]))).map(name);
          }),
        }), '*');
      });
      </script>
      </body>""";

  private static final Pattern MEASURED = Pattern.compile("data-measured=\"([A-Za-z0-9+/=]+)\"");

  @TempDir private Path folder;
  private Chromium browser;

  @BeforeEach
  void findBrowser() {
    Optional<Path> program = Chromium.find();
    if (program.isEmpty() && System.getenv("OFFLOAD_BROWSER_REQUIRED") != null) {
      fail("no chromium, chromium-browser or google-chrome on the path; .ci/run installs it");
    }
    assumeTrue(program.isPresent(), "no chromium, chromium-browser or google-chrome on the path");
    browser = new Chromium(program.get(), folder);
  }

  @Test
  void shouldShowAJobOnEveryScreen() throws Exception {
    Path page = job();
    for (int width : new int[] {WIDE, PHONE}) {
      JsonNode seen = measure(page, width);
      assertFits(seen, width);
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
        assertVisible(chart);
      }
      assertBetween(4, 10, seen.get("tiles").size());
      assertTrue(
          seen.get("tiles").get(1).get("text").asText().startsWith("Rows answered82 refused"));
    }
    assertColours(measure(page, WIDE), picture(page, WIDE));
  }

  /** Labels, settings and reasons that would be markup if they could. */
  @Test
  void shouldShowHostileTextsAsTextsOnEveryScreen() throws Exception {
    String hostile =
        "\"><script>document.body.innerHTML=''</script><img src=http://x.example/>"
            + "y".repeat(70);
    Path page = folder.resolve("hostile.html");
    Files.writeString(page, ReportPage.html(SampleReports.labeled(hostile)));
    for (int width : new int[] {WIDE, PHONE}) {
      JsonNode seen = measure(page, width);
      assertFits(seen, width);
      // Texts scroll inside the table; nothing else does.
      for (String element : new String[] {"img", "a", "link", "iframe", "object"}) {
        assertTrue(!seen.get("elements").toString().contains('"' + element + '"'), element);
      }
      seen.get("charts").forEach(ReportRenderTest::assertVisible);
    }
  }

  @Test
  void shouldBeDarkWhereThatIsPreferred() throws Exception {
    Path page = folder.resolve("sample.html");
    Files.writeString(page, ReportPage.html(SampleReports.labeled("x")));
    assertEquals("rgb(245, 246, 248)", measure(page, WIDE).get("background").asText());
    Path dark = folder.resolve("dark.html");
    Files.writeString(
        dark, Files.readString(page).replace("(prefers-color-scheme: dark)", "(min-width: 0)"));
    JsonNode seen = measure(dark, WIDE);
    assertEquals("rgb(16, 19, 24)", seen.get("background").asText());
    BufferedImage picture = picture(dark, WIDE);
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

  private JsonNode measure(Path page, int width) throws Exception {
    String html = Files.readString(page).replaceFirst(POLICY_TAG, "");
    assertTrue(!html.contains("<script"), "the page has a script of its own");
    String name = page.getFileName().toString();
    Path copy = folder.resolve("measured-" + name);
    Files.writeString(copy, html.replace("</body>", MEASURING));
    Path frame = folder.resolve("frame-" + width + "-" + name);
    Files.writeString(frame, frame(copy, width));
    Matcher measured = MEASURED.matcher(browser.document(frame));
    assertTrue(measured.find(), "nothing was measured in " + frame);
    byte[] json = Base64.getDecoder().decode(measured.group(1));
    return new ObjectMapper().readTree(new String(json, StandardCharsets.UTF_8));
  }

  /** A page that shows another one alone, and writes down what it hears from it. */
  private static String frame(Path shown, int width) {
    return """
        <!DOCTYPE html>
        <html><body style="margin:0">
        <script>
        addEventListener('message', e => {
          document.body.setAttribute('data-measured',
            btoa(String.fromCharCode(...new TextEncoder().encode(e.data))));
        });
        </script>
        <iframe src="%s" style="border:0;width:%dpx;height:%dpx"></iframe>
        </body></html>
        """
        .formatted(shown.getFileName(), width, HEIGHT);
  }

  /** A picture of the page itself, as users open it. */
  private BufferedImage picture(Path page, int width) throws Exception {
    return ImageIO.read(browser.picture(page, width, HEIGHT).toFile());
  }

  private static void assertFits(JsonNode seen, int width) {
    assertEquals(width, seen.get("innerWidth").asInt());
    assertEquals(width, seen.get("scrollWidth").asInt(), "the page is wider than the screen");
    assertBetween(1000, HEIGHT, seen.get("height").asInt());
    for (String what : new String[] {"requests", "outside", "clipped", "invisible", "crowded"}) {
      assertEquals("[]", seen.get(what).toString(), what + " at " + width);
    }
    for (JsonNode bar : seen.get("bars")) {
      assertTrue(bar.get("height").asDouble() >= 8 || bar.get("width").asDouble() == 0, bar + "");
    }
  }

  /** Long enough and high enough, with marks in it, none of which stick out. */
  private static void assertVisible(JsonNode chart) {
    JsonNode frame = chart.get("box");
    assertEquals("img", chart.get("role").asText());
    assertTrue(frame.get("width").asDouble() > 250, chart.get("label") + " is narrow: " + frame);
    assertTrue(frame.get("height").asDouble() > 30, chart.get("label") + " is low: " + frame);
    int visible = 0;
    for (JsonNode mark : chart.get("marks")) {
      assertTrue(mark.get("x").asDouble() >= frame.get("x").asDouble() - 1, mark + " in " + frame);
      assertTrue(
          mark.get("right").asDouble() <= frame.get("right").asDouble() + 1, mark + " in " + frame);
      assertTrue(mark.get("y").asDouble() >= frame.get("y").asDouble() - 1, mark + " in " + frame);
      assertTrue(
          mark.get("bottom").asDouble() <= frame.get("bottom").asDouble() + 1,
          mark + " in " + frame);
      visible += mark.get("width").asDouble() > 0 && mark.get("height").asDouble() > 0 ? 1 : 0;
    }
    assertTrue(visible > 0, "nothing to be seen in " + chart.get("label"));
  }

  private static void assertColours(JsonNode seen, BufferedImage picture) {
    JsonNode passes = null;
    for (JsonNode chart : seen.get("charts")) {
      if (chart.get("label").asText().startsWith("What the lanes")) {
        passes = chart.get("box");
      }
    }
    List<String> order = List.of("disk", "h2d", "gpu", "d2h", "cpu");
    double height = passes.get("height").asDouble() / order.size();
    for (int i = 0; i < order.size(); i++) {
      int top = (int) (passes.get("y").asDouble() + i * height);
      BufferedImage lane =
          picture.getSubimage(
              passes.get("x").asInt() + 1,
              top + 1,
              passes.get("width").asInt() - 2,
              (int) height - 2);
      String name = order.get(i);
      assertNotEquals(0, shades(lane, LANES.get(name)), "pixels of " + name + " in its lane");
      for (String other : order) {
        assertTrue(
            other.equals(name) || exactly(lane, LANES.get(other)) == 0, other + " in " + name);
      }
    }
    assertTrue(count(picture, LANES.get("gpu"), seen) > 2000, "pixels of the device");
    assertTrue(count(picture, 0x5145b8, seen) > 500, "pixels of decoding");
    assertTrue(count(picture, 0xe2ae2e, seen) > 500, "pixels of prefill");
    assertTrue(count(picture, 0xc8392f, seen) > 500, "pixels of refused rows");
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

  private static void assertBetween(int least, int most, int value) {
    assertTrue(
        value >= least && value <= most, value + " is not between " + least + " and " + most);
  }
}
