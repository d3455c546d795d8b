package dev.offload.planner.hardware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class PresetsTest {
  private static final Presets PRESETS = Presets.load();

  static List<String> names() {
    return PRESETS.names();
  }

  @Test
  void shouldHaveTheUsualMachines() {
    assertTrue(
        PRESETS
            .names()
            .containsAll(
                List.of(
                    "t4",
                    "l4",
                    "a10",
                    "a5000",
                    "rtx-3090",
                    "rtx-4090",
                    "rtx-5090",
                    "a100-40",
                    "a100-80",
                    "h100",
                    "h200",
                    "laptop-cpu",
                    "server-cpu")));
    assertEquals(18, PRESETS.names().size());
  }

  @ParameterizedTest
  @MethodSource("names")
  void shouldSayOfEveryFigureWhereItComesFrom(String name) {
    Preset preset = PRESETS.find(name);
    Set<String> figures = new TreeSet<>();
    collect("", HardwareJson.toJson(preset.profile()), figures);
    List<String> explained = new ArrayList<>();
    preset.sources().forEach(each -> explained.add(each.field()));
    preset.profile().assumptions().forEach(each -> explained.add(each.field()));
    assertEquals(figures, new TreeSet<>(explained));
    assertEquals(figures.size(), explained.size(), () -> "explained twice: " + explained);
    preset.sources().forEach(each -> assertTrue(!each.source().isBlank(), each::toString));
    preset
        .profile()
        .assumptions()
        .forEach(each -> assertTrue(each.reason().length() > 3, each::toString));
  }

  private static void collect(String prefix, JsonNode node, Set<String> figures) {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      String name = prefix + field.getKey();
      if (field.getValue().isNumber()) {
        figures.add(name);
      } else if (field.getValue().isObject()) {
        collect(name + ".", field.getValue(), figures);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void shouldBePlausible(String name) {
    HardwareProfile profile = PRESETS.find(name).profile();
    HardwareProfile.Link link = profile.link();
    double fastest = Math.max(link.toDevice().bytesPerSecond(), link.toHost().bytesPerSecond());
    assertTrue(link.bothBytesPerSecond() >= fastest, "together no slower than alone");
    assertTrue(
        link.bothBytesPerSecond()
            <= link.toDevice().bytesPerSecond() + link.toHost().bytesPerSecond() + 1);
    assertTrue(profile.device().peakFlops().containsKey(DType.F16));
    assertTrue(
        profile.device().attentionBytesPerSecond() < profile.device().memoryBytesPerSecond());
    assertEquals(name.endsWith("-cpu"), profile.sharing().deviceIsHost());
  }

  @Test
  void shouldTakeMeasuredFiguresBeforePeaks() {
    HardwareProfile t4 = PRESETS.find("t4").profile();
    assertEquals(239.6e9, t4.device().memoryBytesPerSecond());
    assertEquals(41.91e12, t4.device().peakFlops().get(DType.F16));
    assertEquals(9.7e9, t4.link().toDevice().bytesPerSecond());
  }

  @Test
  void shouldNotMultiplyWhatTheCardCannot() {
    assertEquals(
        Set.of(DType.F32, DType.F16), PRESETS.find("t4").profile().device().peakFlops().keySet());
  }

  @Test
  void shouldTakeAShareOfThePeakWhereNobodyMeasured() {
    HardwareProfile l4 = PRESETS.find("l4").profile();
    assertEquals(0.8 * 31.508e9, l4.link().toDevice().bytesPerSecond(), 1);
    assertTrue(
        l4.assumptions().stream()
            .anyMatch(
                each ->
                    each.field().equals("link.to_device.bytes_per_s")
                        && each.value().equals("25.2 GB/s")
                        && each.reason().contains("PCIe 4 x16")));
  }

  @Test
  void shouldFitTheLatencyOfTheH200FromItsPieces() {
    HardwareProfile h200 = PRESETS.find("h200").profile();
    HardwareProfile.CopyRate rate = h200.link().toDevice();
    double mebibyte = 1 << 20;
    assertEquals(48.5e9, mebibyte / rate.seconds(mebibyte, 1), 1e9);
    assertEquals(101.6e9, h200.link().bothBytesPerSecond());
  }

  @ParameterizedTest
  @CsvSource({"T4,t4", "RTX 4090,rtx-4090", "NVIDIA A100-40,a100-40", "rtx5090,rtx-5090"})
  void shouldFindHoweverItIsWritten(String written, String name) {
    assertEquals(name, PRESETS.find(written).profile().name());
  }

  @ParameterizedTest
  @CsvSource({"a100,a100-40 or a100-80", "h20,h200 or gh200", "rtx-5080,rtx-5090", "4090,rtx-4090"})
  void shouldSuggestWhatIsClose(String written, String suggestion) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> PRESETS.find(written));
    assertTrue(e.getMessage().contains("did you mean " + suggestion + "?"), e.getMessage());
  }

  @Test
  void shouldSuggestNothingWhereNothingIsClose() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> PRESETS.find("toaster"));
    assertTrue(e.getMessage().startsWith("there is no preset 'toaster'; presets are t4, l4"));
  }
}
