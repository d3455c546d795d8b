package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.generation.GenerationRequest;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.RandomSource;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.function.LongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Memory budgets hold, down to the smallest ones that are accepted, and the answers stay. */
class BudgetTest {
  private static final Path MODELS = Path.of("../examples/models");
  private static final Path SHAPES = Path.of("../examples/shapes");
  private static final long PLENTY = 1L << 30;
  private static final int THREADS = 2;

  /** Tokens of the longest request. */
  private static final int LONGEST_ROW = 16;

  @ParameterizedTest
  @CsvSource({"tiny-moe, F32", "tiny-moe, BF16", "tiny-dense, F32", "tiny-relu, BF16"})
  void shouldStayWithinTheSmallestBudgets(String name, DType dtype) throws IOException {
    Path model = MODELS.resolve(name);
    long device = leastDevice(model, dtype);
    long host = leastHost(model, dtype, device);
    long file = Files.size(model.resolve("model.safetensors"));
    assertTrue(dtype == DType.F32 || host < file, host + " of a model of " + file);

    List<GenerationRequest> requests = requests();
    TestRun roomy = run(model, dtype, PLENTY, PLENTY, requests);
    assertEquals(0, roomy.report().diskBytes());
    long half = (device + roomy.report().peakDeviceBytes()) / 2;
    check(roomy, run(model, dtype, half, PLENTY, requests), half, PLENTY, dtype);
    TestRun tight = run(model, dtype, device, host, requests);
    check(roomy, tight, device, host, dtype);
    assertTrue(tight.report().diskBytes() > 0, "weights are read from disk");
  }

  /** Prompts that fill micro-batches and more, of uneven lengths, many and few at a time. */
  @ParameterizedTest
  @CsvSource({"tiny-moe, BF16, 40, 70", "tiny-moe, F32, 3, 200", "tiny-dense, BF16, 70, 30"})
  void shouldCountWhatOperationsWorkIn(String name, DType dtype, int rows, int longest)
      throws IOException {
    Path model = MODELS.resolve(name);
    long device = leastDevice(model, dtype) * 2;
    Random random = new Random(rows);
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      int length = 1 + random.nextInt(longest);
      List<Integer> prompt = random.ints(length, 0, 8000).boxed().toList();
      requests.add(TestRun.greedy(i, prompt, 2));
    }
    EngineOptions options =
        EngineOptions.of(Optional.of(dtype), device, PLENTY, THREADS, 0).withKvTokens(longest + 2);
    TestRun run = TestRun.of(model, Optional.empty(), options, requests);
    assertEquals(rows, run.results().size());
    assertTrue(run.report().peakDeviceBytes() <= device, run.report().toString());
  }

  @ParameterizedTest
  @CsvSource({"dense-360m, 90", "moe-880m, 64"})
  void shouldNeedLessDeviceMemoryThanTheOutputMatrixTakes(String name, long outputMib)
      throws IOException {
    try (ModelFolder folder = ModelFolder.fromConfig(SHAPES.resolve(name));
        Device device = open()) {
      EngineModel model = EngineModel.random(folder, new RandomSource(0, 1, 1));
      assertEquals(outputMib << 20, folder.unit(UnitId.output(0)).bytes());
      LongFunction<Optional<String>> refusal =
          budget -> refusal(model, device, DType.BF16, budget, PLENTY << 2);
      long least = least(refusal);
      assertTrue(least < outputMib << 20, least + " bytes");
      long named = named(refusal, 1 << 20);
      assertTrue(
          Math.abs(named - least) <= 1 << 14, named + " is named, but the least is " + least);
    }
  }

  private static void check(TestRun roomy, TestRun run, long device, long host, DType dtype) {
    RunReport report = run.report();
    assertTrue(report.peakDeviceBytes() <= device, report + " on a device of " + device);
    assertTrue(report.peakHostBytes() <= host, report + " with host memory of " + host);
    // Passes of other sizes round differently.
    float bound = dtype == DType.F32 ? 1e-3f : 0.5f;
    roomy
        .logits()
        .forEach(
            (row, logits) -> assertArrayEquals(logits.getFirst(), run.firstLogits(row), bound));
  }

  private static List<GenerationRequest> requests() {
    Random random = new Random(1);
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      List<Integer> prompt = random.ints(1 + 3 * i, 0, 8000).boxed().toList();
      requests.add(TestRun.greedy(i, prompt, 3));
    }
    return requests;
  }

  private static TestRun run(
      Path model, DType dtype, long device, long host, List<GenerationRequest> requests)
      throws IOException {
    EngineOptions options =
        EngineOptions.of(Optional.of(dtype), device, host, THREADS, 0).withKvTokens(LONGEST_ROW);
    return TestRun.of(model, Optional.empty(), options, requests);
  }

  /**
   * The smallest accepted budget up to 64 bytes, which is looked for around the one that the
   * refusal of next to nothing names.
   */
  private static long least(LongFunction<Optional<String>> refusal) {
    long named = named(refusal, 1 << 10);
    long around = 1 << 13;
    long refused;
    long accepted;
    do {
      around *= 2;
      assertTrue(around < PLENTY, named + " is named, but no budget near it is the least");
      refused = Math.max(0, named - around);
      accepted = named + around;
    } while (refusal.apply(accepted).isPresent()
        || (refused > 0 && refusal.apply(refused).isEmpty()));
    while (accepted - refused > 64) {
      long middle = (accepted + refused) / 2;
      if (refusal.apply(middle).isEmpty()) {
        accepted = middle;
      } else {
        refused = middle;
      }
    }
    return accepted;
  }

  /** The budget that would do as the refusal of a smaller one says. */
  private static long named(LongFunction<Optional<String>> refusal, long budget) {
    String refused = refusal.apply(budget).orElseThrow();
    Matcher lacking = Pattern.compile("too small, (.+?) more is needed").matcher(refused);
    assertTrue(lacking.find(), refused);
    return budget + ByteSize.parse(lacking.group(1));
  }

  private static long leastDevice(Path folder, DType dtype) throws IOException {
    try (ModelFolder opened = ModelFolder.open(folder);
        Device device = open()) {
      EngineModel model = EngineModel.of(opened);
      return least(budget -> refusal(model, device, dtype, budget, PLENTY));
    }
  }

  private static long leastHost(Path folder, DType dtype, long deviceBytes) throws IOException {
    try (ModelFolder opened = ModelFolder.open(folder);
        Device device = open()) {
      EngineModel model = EngineModel.of(opened);
      return least(budget -> refusal(model, device, dtype, deviceBytes, budget));
    }
  }

  private static Device open() {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    return backend.open(new DeviceOptions(0, PLENTY, PLENTY, THREADS));
  }

  /** Why the budgets are refused; empty if they are not. */
  private static Optional<String> refusal(
      EngineModel model, Device device, DType dtype, long deviceBytes, long hostBytes) {
    EngineOptions options =
        EngineOptions.of(Optional.of(dtype), deviceBytes, hostBytes, THREADS, 0)
            .withKvTokens(LONGEST_ROW);
    try {
      EnginePlanner.plan(model, device, options);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      assertTrue(e.getMessage().contains("memory of"), e.getMessage());
      return Optional.of(e.getMessage());
    }
  }
}
