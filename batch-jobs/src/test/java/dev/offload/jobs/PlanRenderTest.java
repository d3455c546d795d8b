package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.jobs.report.PlanPage;
import dev.offload.jobs.report.SamplePlans;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Looks at the page of a dry run in a browser; skipped where there is none. */
class PlanRenderTest {
  @TempDir private Path folder;
  private Screen screen;

  @BeforeEach
  void findBrowser() {
    screen = Screen.find(folder);
  }

  @Test
  void shouldShowAPlanOnEveryScreen() throws Exception {
    Path page = folder.resolve("plan.html");
    Files.writeString(page, PlanPage.html(SamplePlans.mixture("mixtral-8x7b")));
    for (int width : new int[] {Screen.WIDE, Screen.PHONE}) {
      JsonNode seen = screen.measure(page, width);
      Screen.assertFits(seen, width);
      assertEquals(3, seen.get("charts").size(), "a timeline, a curve, a roofline");
      seen.get("charts").forEach(Screen::assertVisible);
      assertEquals(5, seen.get("tiles").size());
      assertTrue(seen.get("tiles").get(0).get("text").asText().startsWith("Tokens per second61.5"));
      stacks(seen.get("stacks"));
    }
  }

  @Test
  void shouldShowHostileTextsAsTexts() throws Exception {
    String hostile = "\"><script>document.body.innerHTML=''</script><img src=http://x.example/>";
    Path page = folder.resolve("hostile.html");
    Files.writeString(page, PlanPage.html(SamplePlans.mixture(hostile)));
    JsonNode seen = screen.measure(page, Screen.PHONE);
    Screen.assertFits(seen, Screen.PHONE);
    for (String element : new String[] {"img", "a", "link", "iframe", "object"}) {
      assertTrue(!seen.get("elements").toString().contains('"' + element + '"'), element);
    }
  }

  /** Bars are as long as what is in them: 8 and 5 of 15 GiB, 76 and 40 of 208, nothing on disk. */
  private static void stacks(JsonNode stacks) {
    double[][] shares = {{8 / 15.0, 5 / 15.0}, {76 / 208.0, 40 / 208.0}, {}};
    assertEquals(shares.length, stacks.size());
    for (int i = 0; i < shares.length; i++) {
      double width = stacks.get(i).get("box").get("width").asDouble();
      JsonNode parts = stacks.get(i).get("parts");
      assertEquals(shares[i].length, parts.size(), "parts of tier " + i);
      for (int k = 0; k < shares[i].length; k++) {
        double part = parts.get(k).get("width").asDouble();
        assertEquals(shares[i][k] * width, part, 1.5, "part " + k + " of tier " + i);
      }
    }
  }
}
