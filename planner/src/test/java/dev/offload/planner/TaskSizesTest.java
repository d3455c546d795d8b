package dev.offload.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Bytes and operations of a pass, against what the model's shape says. */
class TaskSizesTest {
  private static final Path SHAPES = Path.of("../examples/shapes");

  private static final long BLOCK = 1000;

  /** 3 sequences that decode with 100 keys each, and a prompt of 50 tokens. */
  private static final PassShape PASS =
      new PassShape(
          List.of(new PassShape.MicroBatch(53, 50, 4, 3, 300, 50 * 51 / 2, 10 * BLOCK, 5 * BLOCK)),
          3,
          1,
          PassShape.GREEDY_NUMBERS);

  @Test
  void shouldCountTheOperationsOfADenseModel() throws Exception {
    List<Task> tasks = tasks("dense-360m", KvGroup.Home.DEVICE, Tier.DEVICE);
    // All matrices but the output's, for 53 rows; the output's for 4.
    double layers = 32.0 * (960 * (960 + 640) + 960 * 960 + 3 * 960 * 2560);
    double attention = 32.0 * 2 * 15 * 128 * (300 + 50 * 51 / 2);
    double wanted = 2 * layers * 53 + 2.0 * 960 * 49152 * 4 + attention;
    assertEquals(1, flops(tasks, _ -> true) / wanted, 0.003);
    assertEquals(2L * 960 * 49152 * 4, flops(tasks, w -> w instanceof Work.Output), "output alone");
    assertEquals(4 * (3 * 49152 + 2), bytes(tasks, w -> w instanceof Work.DownloadLogits));
    assertEquals(4 * 49152, bytes(tasks, w -> w instanceof Work.BestLogits));
    assertEquals(53 * 4 * (960 + 64 + 1), bytes(tasks, w -> w instanceof Work.UploadBatch));
  }

  @Test
  void shouldSplitAttentionBetweenHostAndDevice() throws Exception {
    List<Task> whole = tasks("dense-360m", KvGroup.Home.DEVICE, Tier.DEVICE);
    List<Task> split = tasks("dense-360m", KvGroup.Home.HOST_ATTENDED, Tier.DEVICE);
    assertEquals(1, flops(split, _ -> true) / (double) flops(whole, _ -> true), 1e-6);
    assertEquals(
        32L * 2 * 15 * 128 * (300 + 50 * 51 / 2),
        flops(split, w -> w instanceof Work.AttendOnHost));
    assertEquals(32 * 10 * BLOCK, bytes(split, w -> w instanceof Work.AttendOnHost));
    assertEquals(
        32 * 53 * 4 * 25 * 64, bytes(split, w -> w instanceof Work.DownloadQueries), "queries");
    assertEquals(32 * 53 * 4 * 960, bytes(split, w -> w instanceof Work.UploadAttended), "F32");
  }

  @Test
  void shouldCopyTheCacheInUseAndBackWhatChanged() throws Exception {
    List<Task> tasks = tasks("dense-360m", KvGroup.Home.HOST_STREAMED, Tier.DEVICE);
    assertEquals(32 * 10 * BLOCK, bytes(tasks, w -> w instanceof Work.LoadKv));
    assertEquals(32 * 5 * BLOCK, bytes(tasks, w -> w instanceof Work.StoreKv));
  }

  @Test
  void shouldCountExpertsByTheRowsThatChooseThem() throws Exception {
    List<Task> tasks = tasks("moe-880m", KvGroup.Home.DEVICE, Tier.HOST);
    double experts = 16.0 * 32 * 3 * 1024 * 512;
    assertEquals(
        1, flops(tasks, w -> w instanceof Work.Experts) / (2 * experts * 53 * 4 / 32), 0.001);
    assertEquals(
        1, bytes(tasks, w -> w instanceof Work.Experts) / (2 * experts), 0.001, "bfloat16");
    assertEquals(16 * 53 * 4 * 4, bytes(tasks, w -> w instanceof Work.DownloadRouting));
    long copied = bytes(tasks, w -> w instanceof Work.CopyWeights);
    assertTrue(copied > 2 * experts, copied + " bytes copied");
    for (Task task : tasks) {
      assertTrue(task.bytes() > 0, task.toString());
    }
  }

  @Test
  void shouldSplitExpertsBetweenHostAndDevice() throws Exception {
    List<Task> whole = tasks("moe-880m", KvGroup.Home.DEVICE, Tier.HOST);
    List<Task> split =
        tasks(
            "moe-880m",
            KvGroup.Home.DEVICE,
            Tier.HOST,
            unit -> unit.kind() == UnitId.Kind.EXPERT && unit.number() % 4 == 1);
    assertEquals(1, flops(split, _ -> true) / (double) flops(whole, _ -> true), 1e-6);
    double experts = 16.0 * 32 * 3 * 1024 * 512;
    assertEquals(
        1, flops(split, w -> w instanceof Work.ExpertsOnHost) / (experts / 2 * 53 * 4 / 32), 0.001);
    assertEquals(1, bytes(split, w -> w instanceof Work.ExpertsOnHost) / (experts / 2), 0.001);
    Predicate<Work> copies = w -> w instanceof Work.CopyWeights copy && copy.pass() == 0;
    long copiedLess = bytes(whole, copies) - bytes(split, copies);
    assertEquals(1, copiedLess / (experts / 2), 0.001);
    assertEquals(16 * 53 * 1024 * 4, bytes(split, w -> w instanceof Work.DownloadRows));
    assertEquals(16 * 53 * 1024 * 4, bytes(split, w -> w instanceof Work.UploadRows));
  }

  private static long flops(List<Task> tasks, Predicate<Work> which) {
    return tasks.stream().filter(t -> which.test(t.work())).mapToLong(Task::flops).sum();
  }

  private static long bytes(List<Task> tasks, Predicate<Work> which) {
    return tasks.stream().filter(t -> which.test(t.work())).mapToLong(Task::bytes).sum();
  }

  /** One pass with all units of a layer on a tier. */
  private static List<Task> tasks(String shape, KvGroup.Home kvHome, Tier home) throws Exception {
    return tasks(shape, kvHome, home, _ -> false);
  }

  /**
   * One pass with all units of a layer on a tier.
   *
   * @param onHost whether the host computes it
   */
  private static List<Task> tasks(
      String shape, KvGroup.Home kvHome, Tier home, Predicate<UnitId> onHost) throws Exception {
    try (ModelFolder folder = ModelFolder.fromConfig(SHAPES.resolve(shape))) {
      ModelConfig config = folder.config();
      List<UnitSize> units = folder.units().stream().map(TaskSizesTest::size).toList();
      Map<UnitId, Tier> placement = new HashMap<>();
      units.forEach(unit -> placement.put(unit.id(), unit.id().layer() < 0 ? Tier.DEVICE : home));
      Plan plan =
          new Plan(
              DType.BF16,
              placement,
              List.of(new KvGroup(kvHome, 100, 8)),
              2,
              64,
              1L << 34,
              0,
              0,
              0,
              4 << 20,
              placement.keySet().stream().filter(onHost).collect(Collectors.toSet()));
      ScheduleBuilder builder =
          new ScheduleBuilder(plan, Granules.of(plan, units), config, DType.F32);
      return builder.next(PASS).tasks();
    }
  }

  /** Lookup tables are nobody's to move. */
  private static UnitSize size(WeightUnit unit) {
    long bytes =
        unit.id().kind() == UnitId.Kind.EMBEDDING
            ? 0
            : unit.parameters().stream()
                .mapToLong(p -> p.elements() * (p.isMatrix() ? 2 : 4))
                .sum();
    return new UnitSize(unit.id(), bytes, bytes, false);
  }
}
