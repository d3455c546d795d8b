package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.backends.api.Device;
import dev.offload.planner.PassShape;
import dev.offload.planner.PassShape.MicroBatch;
import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Assumption;
import dev.offload.planner.hardware.HardwareProfile.CopyRate.Piece;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.planner.hardware.Quantity;
import dev.offload.planner.profile.Effort;
import dev.offload.planner.profile.Figure;
import dev.offload.planner.profile.Machine;
import dev.offload.planner.profile.ModelProbe;
import dev.offload.planner.profile.PassLoad;
import dev.offload.planner.profile.PassLoad.Attended;
import dev.offload.planner.profile.PassLoad.Multiplied;
import dev.offload.planner.profile.Profiler;
import dev.offload.planner.profile.Profiling;
import dev.offload.planner.profile.Shapes;
import dev.offload.planner.profile.Shapes.Heads;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.planner.profile.Streamed;
import dev.offload.planner.profile.Together;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelFolder;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Measures the CPU backend, briefly; how fast it is does not matter here. */
final class ProfilerTest {
  private static final long BUDGET = 96L << 20;

  /** More than a model's probe allocates of each kind of memory. */
  private static final long PROBED = 1L << 30;

  private static final Effort BRIEF =
      new Effort(
          0.001,
          1 << 20,
          List.of(1L << 12, 1L << 16, 1L << 18),
          List.of(1, 3, 8),
          16,
          64,
          32 << 20,
          List.of(1, 3),
          true);
  private static final Shapes SMALL =
      new Shapes(
          List.of(DType.F32, DType.BF16),
          List.of(new MatrixSize(64, 32), new MatrixSize(96, 64)),
          new Heads(4, 2, 32));

  @TempDir Path folder;

  private Profiling measure(Optional<Path> temporary) throws Exception {
    try (Device device = DeviceFinder.processor().open(BUDGET, BUDGET, 2)) {
      Machine machine = new Machine("small", "a machine in a test", 2, 1L << 30, temporary);
      Profiling measured =
          new Profiler(device, device, machine, SMALL, BRIEF, what -> {}).measure();
      assertEquals(0, device.allocatedBytes(), "device memory given back");
      assertEquals(0, device.allocatedPinnedBytes(), "pinned memory given back");
      return measured;
    }
  }

  @Test
  void shouldMeasureEveryFigureAndLeaveNothingBehind() throws Exception {
    Profiling measured = measure(Optional.of(folder));
    HardwareProfile profile = measured.profile();
    assertEquals(List.of(), profile.assumptions());
    assertEquals(2 * 2 * 3, profile.device().products().size());
    assertEquals(Set.of(DType.F32, DType.BF16), profile.device().peakFlops().keySet());
    assertEquals(BUDGET, profile.deviceMemoryBytes());
    assertTrue(profile.sharing().deviceIsHost());
    assertEquals(6, measured.together().size());
    for (Together each : measured.together()) {
      assertTrue(each.seconds() > 0 && Double.isFinite(each.residual(profile.sharing())));
    }
    for (Figure each : measured.figures()) {
      // The clock of processor time is too coarse for runs as short as these, and what is lost by
      // waiting is a difference of two of them.
      boolean mayBeZero = each.quantity() == Quantity.COUNT || each.group().equals("hand-over");
      assertTrue(mayBeZero ? each.value() >= 0 : each.value() > 0, each::toString);
      assertTrue(Double.isFinite(each.value()), each::toString);
    }
    try (var files = Files.list(folder)) {
      assertEquals(0, files.count(), "the temporary file is gone");
    }
    Path saved = folder.resolve("profile.json");
    HardwareJson.write(profile, saved);
    assertEquals(profile, HardwareJson.read(saved));
    shouldShow(measured);
  }

  private static void shouldShow(Profiling measured) throws Exception {
    StringWriter text = new StringWriter();
    ProfileReport report = new ProfileReport(measured);
    report.print(new PrintWriter(text, true));
    assertTrue(text.toString().contains("BF16 96x64"), text::toString);
    assertTrue(text.toString().contains("disk writes"), text::toString);
    JsonNode json = report.toJson();
    assertEquals(HardwareJson.SCHEMA, json.path("profile").path("schema").textValue());
    assertEquals(6, json.path("together").size());
    assertTrue(json.path("measuring_s").doubleValue() > 0);
  }

  @Test
  void shouldAssumeTheDiskWhereItIsNotToBeMeasured() throws Exception {
    HardwareProfile profile = measure(Optional.empty()).profile();
    assertEquals(
        Set.of(
            "disk.free_bytes",
            "disk.read_bytes_per_s",
            "disk.lone_read_bytes_per_s",
            "disk.busy_read_bytes_per_s",
            "disk.read_cores",
            "disk.write_bytes_per_s"),
        profile.assumptions().stream().map(Assumption::field).collect(Collectors.toSet()));
  }

  @Test
  void shouldKeepHostAndDeviceApart() throws Exception {
    try (Device device = DeviceFinder.processor().open(BUDGET, BUDGET, 1);
        Device host = DeviceFinder.processor().open(BUDGET, BUDGET, 1)) {
      Machine machine = new Machine("two", "two devices", 1, 1L << 30, Optional.empty());
      HardwareProfile profile =
          new Profiler(device, host, machine, SMALL, BRIEF, what -> {}).measure().profile();
      assertTrue(!profile.sharing().deviceIsHost());
      assertEquals(2 * 3, profile.host().products().size(), "the first shape only");
    }
  }

  @Test
  void shouldMeasureTheSameAgainAndAgain() throws Exception {
    Multiplied rows = new Multiplied(List.of(2, 5), 3 * 64 * 32);
    PassLoad load =
        new PassLoad(
            Map.of(new MatrixSize(64, 32), rows, new MatrixSize(96, 64), rows),
            2,
            false,
            true,
            new Attended(2, 17),
            new Attended(3, 9));
    Streamed streamed =
        new Streamed(List.of(1L << 12, 1L << 16), Set.of(1L << 16), 1L << 16, 1L << 18, 0.5);
    Machine machine = new Machine("small", "a machine in a test", 2, 1L << 30, Optional.empty());
    Disk disk = new Disk(1L << 30, 1e9, 1e9);
    try (Device device = DeviceFinder.processor().open(4 * PROBED, 4 * PROBED, 2)) {
      try (ModelProbe probe =
          new ModelProbe(
              device, device, machine, disk, DType.BF16, SMALL.heads(), load, streamed)) {
        long allocated = device.allocatedBytes();
        for (int i = 0; i < 2; i++) {
          HardwareProfile profile = probe.measure(0.01);
          assertEquals(2 * 2, profile.device().products().size());
          assertEquals(
              Set.of(2, 5),
              profile.device().products().stream().map(Product::rows).collect(Collectors.toSet()));
          List<Piece> pieces = profile.link().toDevice().pieces();
          assertEquals(List.of(1L << 12, 1L << 16), pieces.stream().map(Piece::bytes).toList());
          assertEquals(pieces.getLast().cores(), profile.sharing().copyCores());
          assertEquals(disk, profile.disk());
        }
        assertEquals(allocated, device.allocatedBytes(), "measuring allocates nothing");
      }
      assertEquals(0, device.allocatedBytes(), "device memory given back");
      assertEquals(0, device.allocatedPinnedBytes(), "pinned memory given back");
    }
  }

  @Test
  void shouldMeasureWhatPassesHave() throws Exception {
    PassShape prompts =
        new PassShape(List.of(new MicroBatch(96, 96, 4, 0, 0, 1200, 1, 1)), 0, 4, 2);
    PassShape decode =
        new PassShape(
            List.of(
                new MicroBatch(3, 0, 3, 3, 75, 0, 1, 1), new MicroBatch(1, 0, 1, 1, 26, 0, 1, 1)),
            0,
            4,
            2);
    try (ModelFolder mixture = ModelFolder.open(Path.of("../examples/models/tiny-moe"))) {
      PassLoad load =
          PassLoad.of(List.of(prompts, decode), mixture.config(), mixture.units(), true);
      assertEquals(new Attended(3, 25), load.decode());
      assertEquals(new Attended(4, 24), load.prompts());
      assertTrue(load.isInParts());
      assertEquals(1, load.usualRows(), "3 sequences, 2 of 8 experts");
      assertEquals(
          List.of(1, 3, 96), load.products().get(new MatrixSize(192, 192)).rows(), "attention");
      assertEquals(
          List.of(4, 96), load.products().get(new MatrixSize(8, 192)).rows(), "the router");
      assertEquals(
          List.of(4), load.products().get(new MatrixSize(8192, 192)).rows(), "the output matrix");
      assertEquals(
          List.of(1, 2, 4, 8, 16, 32),
          load.products().get(new MatrixSize(192, 128)).rows(),
          "experts get any number of rows, up to twice as many as on average");
      assertEquals(
          3 * 192 * 128, load.products().get(new MatrixSize(192, 128)).ofUnit(), "an expert");
      assertTrue(
          !PassLoad.of(List.of(prompts), mixture.config(), mixture.units(), false).isInParts());
    }
  }
}
