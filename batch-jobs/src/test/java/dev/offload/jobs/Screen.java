package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;

/** Pages in a browser, and what must be true of all of them there. */
record Screen(Chromium browser, Path folder) {
  static final int WIDE = 1280;
  static final int PHONE = 390;
  private static final int HEIGHT = 8000;
  private static final String POLICY_TAG = "<meta http-equiv=\"Content-Security-Policy\"[^>]*>";

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
          stacks: all(document, '.stack').map(e => ({box: box(e), parts: all(e, 'i').map(box)})),
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

  /**
   * A browser; the test is skipped where there is none, except where {@code .ci/run} says that
   * there must be.
   */
  static Screen find(Path folder) {
    Optional<Path> program = Chromium.find();
    if (program.isEmpty() && System.getenv("OFFLOAD_BROWSER_REQUIRED") != null) {
      fail("no chromium, chromium-browser or google-chrome on the path; .ci/run installs it");
    }
    assumeTrue(program.isPresent(), "no chromium, chromium-browser or google-chrome on the path");
    return new Screen(new Chromium(program.get(), folder), folder);
  }

  /** What is where on a page that is so many pixels wide. */
  JsonNode measure(Path page, int width) throws Exception {
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
  BufferedImage picture(Path page, int width) throws Exception {
    return ImageIO.read(browser.picture(page, width, HEIGHT).toFile());
  }

  /** Nothing sticks out, is cut off, hidden, crowded or loaded. */
  static void assertFits(JsonNode seen, int width) {
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
  static void assertVisible(JsonNode chart) {
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

  static void assertBetween(int least, int most, int value) {
    assertTrue(
        value >= least && value <= most, value + " is not between " + least + " and " + most);
  }
}
