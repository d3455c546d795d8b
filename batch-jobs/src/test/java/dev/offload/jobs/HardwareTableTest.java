package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.Presets;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HardwareTableTest {
  private final Presets presets = Presets.load();
  private final StringWriter text = new StringWriter();

  @Test
  void shouldPrintALineOfFiguresPerMachine() {
    new HardwareTable(presets).print(new PrintWriter(text, true));
    String t4 = text.toString().lines().filter(line -> line.startsWith("t4 ")).findFirst().get();
    assertTrue(t4.matches("t4 +14\\.6 +240 +41\\.9 +9\\.70 +204 +0\\.51 +\\d+  NVIDIA T4.*"), t4);
    for (String name : presets.names()) {
      assertTrue(text.toString().lines().anyMatch(line -> line.startsWith(name + " ")), name);
    }
  }

  @Test
  void shouldPrintProfilesThatCanBeSavedAsFiles(@TempDir Path folder) throws IOException {
    new HardwareTable(presets).printJson(new PrintWriter(text, true));
    JsonNode list = new JsonMapper().readTree(text.toString()).path("presets");
    assertEquals(presets.names().size(), list.size());
    Path file = folder.resolve("a.json");
    for (JsonNode each : list) {
      Files.writeString(file, each.path("profile").toString());
      assertEquals(
          presets.find(each.path("profile").path("name").textValue()).profile(),
          HardwareJson.read(file));
      assertTrue(!each.path("sources").isEmpty());
    }
  }
}
